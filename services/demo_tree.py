"""The tree of the demo, shaped like the essay: its figures (DOMAIN.md, section 1) divided by the scale."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from domain.organisations import Level, OrganisationKind, RegionalMode, child_path
from services.demo_names import CITY, COUNTIES, DIVISION, MODES, Name, trade, word

TOWNSHIPS, REGIONAL, VILLAGES, COMMUNITIES, FIRMS = 156, 916, 2573, 324, 15_120
CITY_ID = 1


@dataclass(frozen=True, slots=True)
class Node:
    """One organisation; `weight` is how large its own membership is beside the others'."""

    id: int
    parent_id: int | None
    path: str
    name: str
    name_en: str
    kind: OrganisationKind
    level: Level
    regional_mode: RegionalMode | None = None
    weight: float = 0.0


@dataclass(slots=True)
class Tree:
    """All organisations in the order of their ids, and the ids of each sort."""

    nodes: list[Node] = field(default_factory=list)
    counties: list[int] = field(default_factory=list)
    townships: list[int] = field(default_factory=list)
    regional: list[int] = field(default_factory=list)
    communities: list[int] = field(default_factory=list)
    villages: list[int] = field(default_factory=list)
    firms: list[int] = field(default_factory=list)
    offices: dict[int, int] = field(default_factory=dict)

    def __getitem__(self, organisation_id: int) -> Node:
        return self.nodes[organisation_id - 1]

    def add(
        self,
        parent: Node | None,
        name: Name,
        kind: OrganisationKind,
        level: Level = Level.GRASSROOTS,
        mode: RegionalMode | None = None,
        weight: float = 0.0,
    ) -> Node:
        number = len(self.nodes) + 1
        path = child_path("/" if parent is None else parent.path, number)
        above = None if parent is None else parent.id
        node = Node(number, above, path, name.zh, name.en, kind, level, mode, weight)
        self.nodes.append(node)
        return node


def plant(scale: int) -> Tree:
    """Grow the tree at 1:`scale`; every sort is there at any scale."""
    tree = Tree()
    city = tree.add(None, _committee(CITY), OrganisationKind.COMMITTEE, Level.CITY)
    _office(tree, city, CITY)
    for name, _ in COUNTIES:
        county = tree.add(city, _committee(name), OrganisationKind.COMMITTEE, Level.COUNTY)
        tree.counties.append(county.id)
        _office(tree, county, name)
    _add_townships(tree, _scaled(TOWNSHIPS, scale, least=3 * len(COUNTIES)))
    _add_regional(tree, _scaled(REGIONAL, scale, least=len(RegionalMode)))
    _add_communities(tree, _scaled(COMMUNITIES, scale, least=len(COUNTIES)))
    _add_villages(tree, _scaled(VILLAGES, scale, least=len(COUNTIES)))
    _add_firms(tree, _scaled(FIRMS, scale, least=len(RegionalMode)))
    return tree


def _scaled(figure: int, scale: int, *, least: int) -> int:
    return max(least, round(figure / scale))


def _add_townships(tree: Tree, count: int) -> None:
    """Add a township to each county in turn, so that the first ones lie one in each."""
    for number in range(count):
        turn, at = divmod(number, len(COUNTIES))
        named = COUNTIES[at][1]
        if turn < len(named):
            zh, en, division = named[turn]
        else:
            made_up, division = word(number), ("街道", "镇")[turn % 2]
            zh, en = made_up.zh, made_up.en
        name = Name(f"{zh}{division}", f"{en} {DIVISION[division]}")
        county = tree[tree.counties[at]]
        township = tree.add(county, _committee(name), OrganisationKind.COMMITTEE, Level.TOWNSHIP)
        tree.townships.append(township.id)
        _office(tree, township, name)


def _add_regional(tree: Tree, count: int) -> None:
    for number, township in zip(range(count), _round(tree.townships), strict=False):
        mode = tuple(RegionalMode)[number % len(RegionalMode)]
        shape, place = MODES[mode], word(number * 7 + 3)
        zh, en = shape.zh.format(zh=place.zh), shape.en.format(en=place.en)
        name = Name(f"{zh}综合委员会", f"{en} Regional Committee")
        node = tree.add(tree[township], name, OrganisationKind.REGIONAL, mode=mode)
        tree.regional.append(node.id)


def _add_communities(tree: Tree, count: int) -> None:
    for number, township in zip(range(count), _round(tree.townships), strict=False):
        name = Name(f"{word(number).zh}社区支部", f"{word(number).en} Community Branch")
        tree.communities.append(tree.add(tree[township], name, OrganisationKind.BRANCH, weight=2.0).id)


def _add_villages(tree: Tree, count: int) -> None:
    """Add villages, the outer townships first; each fifth is so large that it has groups."""
    for number, township in zip(range(count), _round(tree.townships[::-1]), strict=False):
        place = word(number * 3 + 1)
        if number % 5:
            name = Name(f"{place.zh}村支部", f"{place.en} Village Branch")
            village = tree.add(tree[township], name, OrganisationKind.BRANCH, weight=1.5)
        else:
            name = Name(f"{place.zh}村总支", f"{place.en} Village General Branch")
            village = tree.add(tree[township], name, OrganisationKind.GENERAL_BRANCH, weight=0.8)
            for ordinal, en in (("一", "First"), ("二", "Second")):
                group = Name(f"{place.zh}村第{ordinal}小组", f"{place.en} Village {en} Group")
                tree.add(village, group, OrganisationKind.GROUP, weight=0.6)
        tree.villages.append(village.id)


def _add_firms(tree: Tree, count: int) -> None:
    """Add branches of firms below the regional organisations (单建), each tenth a joint one (联建)."""
    for number, regional in zip(range(count), _round(tree.regional), strict=False):
        place, business = word(number * 5 + number // len(tree.regional)), trade(number)
        if number % 10 == 3:  # noqa: PLR2004 - any tenth
            name = Name(f"{place.zh}{business.zh}联合支部", f"{place.en} {business.en} Joint Branch")
            node = tree.add(tree[regional], name, OrganisationKind.JOINT_BRANCH, weight=0.5)
        else:
            name = Name(f"{place.zh}{business.zh}公司支部", f"{place.en} {business.en} Company Branch")
            node = tree.add(tree[regional], name, OrganisationKind.BRANCH, weight=0.8)
        tree.firms.append(node.id)


def _committee(name: Name) -> Name:
    return Name(f"{name.zh}委员会", f"{name.en} Committee")


def _office(tree: Tree, above: Node, name: Name) -> None:
    """Add the branch of a committee's own staff, where those with a role there are at home."""
    branch = Name(f"{name.zh}机关支部", f"{name.en} Office Branch")
    tree.offices[above.id] = tree.add(above, branch, OrganisationKind.BRANCH, weight=1.0).id


def _round(ids: list[int]) -> Iterator[int]:
    """Go round and round."""
    while True:
        yield from ids
