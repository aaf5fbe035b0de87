from hypothesis import given, settings
from hypothesis import strategies as st

from domain.roster import Bad, Deed, OrganisationLine, Reason
from domain.roster_places import Node, Places
from domain.roster_tree import grow

CITY, HAISHU, GULOU, NORTH, JIANGBEI = 1, 2, 3, 4, 5
TREE = (
    Node(CITY, None, "宁波市", "N1", "Ningbo", "committee", "city"),
    Node(HAISHU, CITY, "海曙区", "N2", "Haishu", "committee", "county"),
    Node(GULOU, HAISHU, "鼓楼街道", "", "", "committee", "township"),
    Node(NORTH, GULOU, "第一支部", "N4", "", "branch", "grassroots"),
    Node(JIANGBEI, CITY, "江北区", "", "", "committee", "county"),
)


def row(line, name, parent="", **more):
    return OrganisationLine(line=line, name=name, parent=parent, **more)


def grown(*rows, nodes=TREE, root=CITY, above=""):
    return grow(rows, Places(nodes, root), above)


def reasons(found):
    return [each.reason if isinstance(each, Bad) else each.deed for each in found]


def test_rows_may_stand_below_rows_that_come_later():
    found = grown(row(2, "第二支部", "月湖街道"), row(3, "月湖街道", "海曙区", kind="committee"))
    assert [(each.parent_line, each.parent_id, each.depth, each.level) for each in found] == [
        (3, None, 3, "grassroots"),
        (None, HAISHU, 2, "township"),
    ]


def test_what_stands_already_is_left_alone():
    assert reasons(
        grown(row(2, "宁波市"), row(3, "海曙区", "宁波市"), row(4, "第一支部", "鼓楼街道", kind="branch"))
    ) == [
        Deed.KEEP,
        Deed.KEEP,
        Deed.KEEP,
    ]


def test_only_a_number_moves_or_renames():
    found = grown(row(2, "第一支部", "江北区"), row(3, "新一支部", "江北区", number="N4"))
    assert reasons(found) == [Deed.CREATE, Deed.MOVE]
    assert found[1].subject_id == NORTH
    assert reasons(grown(row(2, "海曙新区", number="N2"))) == [Deed.CHANGE]


def test_an_organisation_gets_its_number_by_name_and_place():
    (found,) = grown(row(2, "鼓楼街道", "海曙区", number="N3"))
    assert (found.subject_id, found.deed) == (GULOU, Deed.CHANGE)


def test_another_number_at_the_same_place_is_a_conflict():
    assert reasons(grown(row(2, "第一支部", "鼓楼街道", number="N9", kind="branch"))) == [Reason.CONFLICT]


def test_a_parent_is_found_by_number_name_english_name_or_path():
    for parent in ("N2", "海曙区", "Haishu", "宁波市/海曙区", "宁波市 > 海曙区"):
        (found,) = grown(row(2, "月湖支部", parent))
        assert found.parent_id == HAISHU


def test_a_path_may_lead_through_rows_to_come():
    found = grown(
        row(2, "甲支部", "江北区/中心"),
        row(3, "中心", "江北区", kind="committee"),
        row(4, "中心", "海曙区", kind="committee"),
    )
    assert found[0].parent_line == 3


def test_a_name_that_stands_twice_needs_a_path():
    found = grown(
        row(2, "中心", "江北区", kind="group"),
        row(3, "中心", "海曙区", kind="group"),
        row(4, "甲支部", "中心"),
    )
    assert reasons(found)[2] is Reason.PARENT_AMBIGUOUS


def test_each_bad_row_has_its_reason():
    found = grown(
        row(2, "甲支部"),
        row(3, "乙支部", "没有"),
        row(4, "丙", "海曙区"),
        row(5, "丁支部", "丙"),
        row(6, "戊支部", "己支部"),
        row(7, "己支部", "戊支部"),
        row(8, "庚支部", "海曙区"),
        row(9, "庚支部", "海曙区"),
        row(10, "辛支部", "海曙区", contact="1"),
        row(11, "辛支部", "海曙区", contact="2"),
        row(12, "宁波市", "海曙区", number="N1"),
        row(13, "海曙区", "第一支部", number="N2"),
    )
    assert reasons(found) == [
        Reason.PARENT_MISSING,
        Reason.PARENT_UNKNOWN,
        Reason.KIND_MISSING,
        Reason.PARENT_BAD,
        Reason.CIRCLE,
        Reason.CIRCLE,
        Deed.CREATE,
        Reason.REPEATED,
        Reason.CONFLICT,
        Reason.CONFLICT,
        Reason.ROOT_STAYS,
        Reason.CIRCLE,
    ]


def test_two_may_change_places():
    nodes = (*TREE, Node(6, NORTH, "小组", "N6", "", "group", "grassroots"))
    found = grown(
        row(2, "第一支部", "小组", number="N4"), row(3, "小组", "鼓楼街道", number="N6"), nodes=nodes
    )
    assert [(each.deed, each.depth) for each in found] == [(Deed.MOVE, 4), (Deed.MOVE, 3)]


def test_an_importer_of_a_county_reaches_nothing_outside():
    inside = TREE[1:4]
    found = grown(
        row(2, "海曙区", "宁波市"),
        row(3, "甲支部", "江北区"),
        row(4, "乙支部", "海曙区"),
        nodes=inside,
        root=HAISHU,
        above="宁波市",
    )
    assert reasons(found) == [Deed.KEEP, Reason.PARENT_UNKNOWN, Deed.CREATE]


names = st.sampled_from(["海曙区", "甲街道", "乙街道", "丙支部", "丁支部", "第一支部", "没有"])
lines = st.lists(
    st.tuples(names, names | st.just(""), st.sampled_from(["", "", "", "N2", "N4", "N7"])),
    min_size=1,
    max_size=8,
)


@given(lines, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_rows_does_not_matter(facts, random):
    rows = [
        row(n, name, parent, number=number, kind="branch")
        for n, (name, parent, number) in enumerate(facts, 2)
    ]
    shuffled = random.sample(rows, len(rows))
    assert grown(*rows) == grown(*shuffled)
    at = {each.line: place for place, each in enumerate(shuffled, 2)}
    moved = grown(
        *(row(at[each.line], each.name, each.parent, number=each.number, kind="branch") for each in rows)
    )
    assert outcome(moved) == outcome(grown(*rows))


def outcome(found):
    """What becomes of names below names, without the lines."""
    by_line = {each.row.line: each for each in found if not isinstance(each, Bad)}

    def parent(each):
        return each.parent_id or (by_line[each.parent_line].row.name if each.parent_line else None)

    return sorted(
        str((each.row.name, each.deed, each.subject_id, parent(each), each.depth))
        for each in by_line.values()
    )
