"""Holiday tables as people hand them in: announcements against the library's years, lines, files and faults."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.holiday_tables import Fault, Reading, read, template
from domain.holidays import Calendar, DayKind, HolidayName

ANNOUNCED = {
    2026: """国务院办公厅关于2026年部分节假日安排的通知
各省、自治区、直辖市人民政府，国务院各部委、各直属机构：
经国务院批准，现将2026年元旦、春节、清明节、劳动节、端午节、中秋节和国庆节放假调休日期的具体安排通知如下。
一、元旦：1月1日（周四）至3日（周六）放假调休，共3天。1月4日（周日）上班。
二、春节：2月15日（农历腊月二十八、周日）至23日（农历正月初七、周一）放假调休，共9天。2月14日（周六）、2月28日（周六）上班。
三、清明节：4月4日（周六）至6日（周一）放假，共3天。
四、劳动节：5月1日（周五）至5日（周二）放假调休，共5天。5月9日（周六）上班。
五、端午节：6月19日（周五）至21日（周日）放假，共3天。
六、中秋节：9月25日（周五）至27日（周日）放假，共3天。
七、国庆节：10月1日（周四）至7日（周三）放假调休，共7天。9月20日（周日）、10月10日（周六）上班。
节假日期间，各地区、各部门要妥善安排好值班和安全、保卫、疫情防控等工作。
国务院办公厅
2025年11月4日
""",
    2025: """国务院办公厅关于2025年部分节假日安排的通知
一、元旦：1月1日（周三）放假1天，不调休。
二、春节：1月28日（农历除夕、周二）至2月4日（农历正月初七、周二）放假调休，共8天。1月26日（周日）、2月8日（周六）上班。
三、清明节：4月4日（周五）至6日（周日）放假，共3天。
四、劳动节：5月1日（周四）至5日（周一）放假调休，共5天。4月27日（周日）上班。
五、端午节：5月31日（周六）至6月2日（周一）放假，共3天。
六、国庆节、中秋节：10月1日（周三）至8日（周三）放假调休，共8天。9月28日（周日）、10月11日（周六）上班。
""",
    2023: """国务院办公厅关于2023年部分节假日安排的通知
一、元旦：2022年12月31日至2023年1月2日放假调休，共3天。
二、春节：1月21日至27日放假调休，共7天。1月28日（星期六）、1月29日（星期日）上班。
三、清明节：4月5日放假，共1天。
四、劳动节：4月29日至5月3日放假调休，共5天。4月23日（星期日）、5月6日（星期六）上班。
五、端午节：6月22日至24日放假调休，共3天。6月25日（星期日）上班。
六、中秋节、国庆节：9月29日至10月6日放假调休，共8天。10月7日（星期六）、10月8日（星期日）上班。
""",
}
NATIONAL = HolidayName("国庆节", "National Day")


def table(text: str, year: int | None = None) -> Reading:
    found = read(text, year)
    assert found.faults == ()
    assert found.table is not None
    return found


def faults(text: str, year: int | None = 2027) -> list[tuple[int, str]]:
    found = read(text, year)
    assert found.table is None
    return [(fault.line, fault.what) for fault in found.faults]


@pytest.mark.parametrize("year", ANNOUNCED)
def test_an_announcement_comes_to_the_librarys_own_table(year):
    found = table(ANNOUNCED[year])
    assert found.table.year == year
    assert found.missing == ()
    entered, library = Calendar([found.table]), Calendar()
    start = date(year - 1, 12, 25)
    for day in (start + timedelta(days=n) for n in range(7 + 365)):
        assert entered.day(day).kind == library.day(day).kind, day


def test_an_announcement_of_another_year_is_found_out_by_its_weekdays():
    lines = ANNOUNCED[2026].split("\n", 3)[3]
    assert set(faults(lines, 2027)) == {(number, "weekday") for number in range(1, 8)}


def test_an_announcement_with_a_date_that_is_none_is_refused():
    assert faults("一、元旦：13月1日至3日放假。") == [(1, "date")]
    assert faults("一、元旦：1日放假。2月30日上班。") == [(1, "date")]


def test_joined_names_are_kept_in_both_languages():
    found = table(ANNOUNCED[2025]).table.days[date(2025, 10, 1)]
    assert (found.name.zh, found.name.en) == ("国庆节、中秋节", "National Day / Mid-autumn Festival")


@pytest.mark.parametrize(
    "line",
    [
        "2027-10-01~2027-10-07,holiday,国庆节",
        "2027/10/1..2027/10/7,off,国庆节,National Day",
        "2027-10-01\tholiday\t国庆节\n2027-10-02~7,holiday,国庆节",
        "10月1日至7日 放假 国庆节",
        "10月1日至10月7日 放假 国庆节",
        "2027年10月1日—2027年10月7日，放假，国庆",
        "10-01 到 10-07 休 National Day",
        '[{"date": "2027-10-01~2027-10-07", "kind": "holiday", "name": "国庆节"}]',
        '{"days": [{"date": "2027-10-01~2027-10-07", "kind": "holiday", "name": "National Day"}]}',
        "\ufeffdate,kind,name,name_en\r\n2027-10-01~2027-10-07,holiday,国庆节,National Day\r\n",
        "日期,类型,名称\n\n# 说明\n2027-10-01~2027-10-07,holiday,国庆节",
    ],
)
def test_lines_and_files_of_many_shapes_mean_the_same(line):
    days = table(line, 2027).table.days
    assert list(days) == [date(2027, 10, n) for n in range(1, 8)]
    assert {day.kind for day in days.values()} == {DayKind.HOLIDAY}
    assert {day.name for day in days.values()} == {NATIONAL}


def test_the_year_is_that_of_the_dates():
    text = "2027-12-31,holiday,元旦\n2028-01-01,holiday,元旦\n2028-01-08,workday,元旦"
    found = table(text)
    assert found.table.year == 2028
    assert len(found.table.days) == 3
    assert [name.zh for name in found.missing][:2] == ["春节", "清明节"]


def test_a_name_of_its_own_is_kept():
    text = "2027-09-03,holiday,抗战胜利纪念日,Victory Day\n2027-09-05,workday"
    assert [str(day.name) for day in table(text).table.days.values()] == ["抗战胜利纪念日", ""]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [(0, "empty")]),
        ("date,kind,name", [(0, "empty")]),
        ("2027-13-01,holiday,元旦", [(1, "date")]),
        ("2027-02-29,holiday,春节", [(1, "date")]),
        ("2027-01-01~,holiday,元旦", [(1, "date")]),
        ("2027-01-01~2027-01-02~2027-01-03,holiday,元旦", [(1, "date")]),
        ("2027-01-01~33,holiday,元旦", [(1, "date")]),
        ("元旦,holiday,2027-01-01", [(1, "date")]),
        ("2027-01-01", [(1, "kind")]),
        ("2027-01-01,maybe,元旦", [(1, "kind")]),
        ("2027-01-01,holiday", [(1, "name")]),
        ("2027-01-01,holiday," + "长" * 41, [(1, "name")]),
        ("2027-01-03~2027-01-01,holiday,元旦", [(1, "span")]),
        ("2027-01-01~2027-12-31,holiday,元旦", [(1, "span")]),
        ("2026-12-24,holiday,元旦", [(1, "year")]),
        ("2028-01-01,holiday,元旦", [(1, "year")]),
        ("2027-01-01,holiday,元旦\n2027-01-01,workday,元旦", [(2, "twice")]),
        ("2027-01-04,workday,元旦", [(1, "no_weekend")]),
        ("2027-01-01,holiday,元旦\nx\n\n2027-01-04,workday,元旦", [(2, "date"), (4, "no_weekend")]),
        ("[", [(0, "json")]),
        ("[" * 5000, [(0, "json")]),
        ("[1]", [(0, "json")]),
        ('{"days": 1}', [(0, "json")]),
        ("{}", [(0, "json")]),
        ('[{"date": "2027-01-01"}]', [(1, "kind")]),
        ("x" * 20_001, [(0, "too_long")]),
    ],
)
def test_what_is_wrong_is_named_by_its_line(text, expected):
    assert faults(text) == expected


def test_a_text_without_any_year_says_so():
    assert faults("10-01,holiday,国庆节", None) == [(0, "no_year")]


def test_a_table_longer_than_any_year_is_refused():
    lines = [f"2027-{month:02}-01~2027-{month:02}-28,holiday,春节" for month in range(1, 13)]
    assert faults("\n".join(lines)) == [(0, "too_long")]


def test_the_template_is_refused_as_long_as_nobody_filled_it_in():
    assert faults(template(2027)) == [(0, "empty")]
    filled = template(2027).replace(
        "# 2027-MM-DD~2027-MM-DD,holiday,国庆节", "2027-10-01~2027-10-07,holiday,国庆节"
    )
    assert len(table(filled, 2027).table.days) == 7


def test_a_fault_shows_where_its_line_begins():
    assert read("2027-01-01,maybe," + "长" * 99, 2027).faults == (
        Fault(1, "kind", "2027-01-01,maybe," + "长" * 23),
    )


@settings(max_examples=50)
@given(st.text(max_size=200), st.one_of(st.none(), st.integers(2000, 2100)))
def test_no_text_breaks_the_reader(text, year):
    found = read(text, year)
    assert (found.table is None) == bool(found.faults)


shapes = st.sampled_from(["{}-{:02}-{:02}", "{}年{}月{}日", "{}/{}/{}"])


@settings(max_examples=50)
@given(st.lists(st.dates(date(2027, 1, 1), date(2027, 12, 31)), min_size=1, max_size=20, unique=True), shapes)
def test_every_day_entered_is_in_the_table_and_no_other(days, shape):
    text = "\n".join(f"{shape.format(day.year, day.month, day.day)},放假,春节" for day in days)
    assert list(table(text).table.days) == sorted(days)
