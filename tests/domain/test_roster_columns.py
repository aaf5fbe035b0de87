import pytest

from domain import roster_columns as columns
from domain.roster import Column, RosterKind
from domain.roster_refusals import ColumnNeverKept, ColumnsMissing, ColumnUnknown

MEMBERS = ["序号", "姓名", "手机号码（必填）", "所在党组织", "入党日期", "正式/预备", "身份证号", "备注"]


def test_chinese_headings_of_members_are_understood():
    assert columns.kind_of(MEMBERS) is RosterKind.MEMBERS
    assert columns.guess(MEMBERS, RosterKind.MEMBERS) == {
        Column.NAME: 1,
        Column.PHONE: 2,
        Column.ORGANISATION: 3,
        Column.JOINED: 4,
        Column.STANDING: 5,
    }


def test_english_headings_of_members_are_understood():
    found = columns.guess(
        ["Full name", "Mobile", "Branch", "Date joined", "Standing", "No."], RosterKind.MEMBERS
    )
    assert set(found) == set(Column) & {"name", "phone", "organisation", "joined", "standing", "number"}


def test_organisations_are_told_from_members_by_what_is_above_them():
    texts = ["党组织名称", "上级党组织", "层级", "类别", "统筹模式", "联系电话"]
    assert columns.kind_of(texts) is RosterKind.ORGANISATIONS
    assert len(columns.guess(texts, RosterKind.ORGANISATIONS)) == 6


def test_the_better_heading_wins_wherever_it_stands():
    found = columns.guess(["家庭电话", "手机", "姓名", "支部"], RosterKind.MEMBERS)
    assert found[Column.PHONE] == 1


def test_headings_are_found_below_titles_and_in_merged_lines():
    rows = [
        ["党员花名册", "", "", ""],
        ["2026 年 3 月 制表：张三", "", "", ""],
        ["姓名", "联系方式", "", "所在党组织"],
        ["", "手机", "邮箱", ""],
        ["王芳", "13805740001", "a@b", "第一支部"],
    ]
    assert columns.find_headings(rows) == (2, 4)
    assert columns.joined(rows[2:4]) == ["姓名", "手机", "邮箱", "所在党组织"]


def test_a_sheet_without_headings_has_none():
    assert columns.find_headings([["王芳", "13805740001"], ["张伟", "13805740002"]]) is None


def test_what_is_never_kept_is_known_by_its_heading_or_by_what_stands_below_it():
    found = columns.headings(
        ["姓名", "公民身份号码", "家庭住址", "证号"],
        [["王芳", "", "", "330203199001011234"]],
        RosterKind.MEMBERS,
    )
    assert [each.text for each in found if each.never] == ["公民身份号码", "家庭住址", "证号"]


def test_a_column_can_be_given_another_meaning():
    found = columns.headings(MEMBERS, [], RosterKind.MEMBERS)
    plan = {each.column: each.index for each in found if each.column}
    changed = columns.change(found, RosterKind.MEMBERS, plan, 7, Column.PHONE)
    assert (changed[Column.PHONE], len(changed)) == (7, len(plan))
    assert Column.PHONE not in columns.change(found, RosterKind.MEMBERS, changed, 7, None)


def test_what_is_never_kept_cannot_be_given_a_meaning():
    found = columns.headings(MEMBERS, [], RosterKind.MEMBERS)
    with pytest.raises(ColumnNeverKept):
        columns.change(found, RosterKind.MEMBERS, {}, 6, Column.NUMBER)


def test_meanings_are_typed_as_heading_and_meaning():
    found = columns.headings(MEMBERS, [], RosterKind.MEMBERS)
    assert columns.spoken("备注=phone", found, RosterKind.MEMBERS) == (7, Column.PHONE)
    assert columns.spoken("备注=手机", found, RosterKind.MEMBERS) == (7, Column.PHONE)
    assert columns.spoken("姓名=-", found, RosterKind.MEMBERS) == (1, None)
    for wrong in ("备注=上级", "别的=phone", "备注"):
        with pytest.raises(ColumnUnknown):
            columns.spoken(wrong, found, RosterKind.MEMBERS)


def test_a_plan_without_a_needed_column_is_refused():
    with pytest.raises(ColumnsMissing):
        columns.check(RosterKind.MEMBERS, {Column.NAME: 1})
