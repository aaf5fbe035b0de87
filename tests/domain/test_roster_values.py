from datetime import date, datetime

import pytest

from domain import roster_values as values
from domain.roster import Reason
from domain.roster_values import Unreadable

TODAY = date(2026, 3, 4)


def refused(read, *given):
    with pytest.raises(Unreadable) as caught:
        read(*given)
    return caught.value.reason


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (13800138000, "13800138000"),
        (13800138000.0, "13800138000"),
        ("13800138000.0", "13800138000"),
        ("1.3800138000E+10", "13800138000"),
        ("１３８　００１３　８０００", "13800138000"),
        ("'13800138000", "13800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("0574-87000000", "057487000000"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_phone_is_read_however_a_sheet_writes_it(cell, read):
    assert values.phone(cell) == read


def test_a_phone_in_rounded_form_has_lost_its_digits():
    assert refused(values.phone, "1.38E+10") is Reason.PHONE_ROUNDED


@pytest.mark.parametrize("cell", ["1380013800", "138001380001", "无", "12", "call me"])
def test_what_is_no_phone_is_refused(cell):
    assert refused(values.phone, cell) is Reason.PHONE_UNREADABLE


@pytest.mark.parametrize(
    "cell",
    [
        "2021.7.1", "2021年7月1日", "2021-07-01", "2021/7/1", "20210701", 20210701, "44378", 44378, 44378.0,
        date(2021, 7, 1), datetime.fromisoformat("2021-07-01T08:30"), "２０２１．７．１", "2021-07-01 00:00:00", "'2021-7-1",
    ],
)  # fmt: skip
def test_a_day_is_read_however_a_sheet_writes_it(cell):
    assert values.day(cell, TODAY) == date(2021, 7, 1)


@pytest.mark.parametrize("cell", ["2021.7", "2021", "2021年7月", 2021, 2021.1, "202107", "2021-"])
def test_a_month_is_no_day(cell):
    assert refused(values.day, cell, TODAY) is Reason.DATE_INCOMPLETE


@pytest.mark.parametrize("cell", ["2021.2.30", "去年", "7/1/2021", "1", "1899-12-31", "99999"])
def test_what_is_no_day_is_refused(cell):
    assert refused(values.day, cell, TODAY) is Reason.DATE_UNREADABLE


def test_a_day_that_has_not_come_is_refused():
    assert refused(values.day, "2026-03-05", TODAY) is Reason.DATE_FUTURE


@pytest.mark.parametrize(
    "cell", ["买买提•艾力", "买买提・艾力", "买买提 · 艾力", "买买提·艾力", "买买提‧艾力"]
)
def test_a_middle_dot_has_one_form(cell):
    assert values.name(cell) == "买买提·艾力"


def test_a_name_has_no_gaps_and_nothing_invisible():
    assert (values.name("张　三\u200b"), values.name(" Anna  Lee ")) == ("张三", "Anna Lee")


@pytest.mark.parametrize("cell", ["", None, "  ", "·"])
def test_a_name_is_needed(cell):
    assert refused(values.name, cell) is Reason.NAME_MISSING


def test_a_national_id_number_is_refused_wherever_it_stands():
    for read in (values.name, values.place, values.short, values.phone):
        assert refused(read, "330203199001011234") is Reason.NATIONAL_ID


def test_errors_of_the_sheet_are_no_values():
    assert refused(values.name, "#REF!") is Reason.CELL_ERROR
    assert refused(values.short, values.EMPTY_FORMULA) is Reason.FORMULA_EMPTY


def test_kinds_levels_modes_and_standings_are_read_in_both_languages():
    assert [values.kind(each) for each in ("党支部", "Joint branch", "区域性党组织", "")] == [
        "branch", "joint_branch", "regional", "",
    ]  # fmt: skip
    assert [values.level(each) for each in ("区级", "街道", "grassroots")] == [
        "county",
        "township",
        "grassroots",
    ]
    assert [values.mode(each) for each in ("商圈统筹", "人员统筹", "Park")] == [
        "business_district", "personnel", "park",
    ]  # fmt: skip
    assert [values.standing(each) for each in ("正式党员", "预备", "Probationary")] == [
        "full", "probationary", "probationary",
    ]  # fmt: skip
    assert refused(values.kind, "公司") is Reason.KIND_UNKNOWN


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("某联合支部", "joint_branch"),
        ("某总支", "general_branch"),
        ("某党支部", "branch"),
        ("某委员会", "committee"),
        ("某单位", ""),
    ],
)
def test_a_name_tells_what_an_organisation_is(title, kind):
    assert values.kind_by_name(title) == kind
