"""The iCalendar file: what a calendar program reads in it, and what never breaks it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from domain.holidays import HolidayName
from domain.service_days import DayState, ServiceDay, Why
from services.service_day_ics import build

CHANGED = datetime(2026, 2, 24, 4, 0, 0, 123456, tzinfo=UTC)


def a_day(state: DayState = DayState.CONFIRMED, **fields) -> ServiceDay:
    values = {
        "id": 1,
        "organisation_id": 1,
        "month": date(2026, 4, 1),
        "planned": date(2026, 4, 4),
        "date": date(2026, 4, 11),
        "state": state,
        "why": Why.HOLIDAY,
        "holiday": HolidayName("清明节", "Tomb-sweeping Day"),
        "revision": 3,
        "told_revision": None,
        "changed_at": CHANGED,
    }
    return ServiceDay(**(values | fields))


def events(days, language="zh_CN"):
    return Calendar.from_ical(build(days, language)).walk("VEVENT")


def test_a_day_is_a_whole_day_in_every_zone():
    [event] = events([(a_day(), "义诊")])
    assert (event["dtstart"].dt, event["dtend"].dt) == (date(2026, 4, 11), date(2026, 4, 12))
    assert event["dtstart"].params["VALUE"] == "DATE"
    assert event["last-modified"].dt == CHANGED.replace(microsecond=0)
    assert (event["sequence"], str(event["transp"])) == (3, "TRANSPARENT")


@pytest.mark.parametrize(
    ("state", "status", "summary"),
    [
        (DayState.CONFIRMED, "CONFIRMED", "服务日"),
        (DayState.CANCELLED, "CANCELLED", "服务日"),
        (DayState.PROPOSED, "TENTATIVE", "服务日（还没有确认）"),
        (DayState.UNCONFIRMED, "TENTATIVE", "服务日（还没有确认）"),
    ],
)
def test_its_standing_is_said(state: DayState, status: str, summary: str):
    [event] = events([(a_day(state), "")])
    assert (str(event["status"]), str(event["summary"])) == (status, summary)


def test_activities_and_the_reason_are_described_in_the_language_asked_for():
    [event] = events([(a_day(), "9点; 社区, 活动室\n带水杯")])
    assert str(event["description"]) == "9点; 社区, 活动室\n带水杯\n原定4月4日 周六，因清明节放假改期"
    [english] = events([(a_day(), "")], "en")
    assert str(english["description"]) == "Moved from Sat 4 Apr: Tomb-sweeping Day"


def test_each_month_keeps_its_own_uid_and_organisations_have_their_own():
    days = [a_day(), a_day(month=date(2026, 5, 1)), a_day(organisation_id=2), a_day(date=date(2026, 4, 18))]
    found = [str(event["uid"]) for event in events([(day, "") for day in days])]
    assert len(set(found)) == 3
    assert found[0] == found[3]


def test_an_empty_calendar_is_one():
    assert events([]) == []


def test_the_same_days_make_the_same_bytes():
    assert build([(a_day(), "义诊")], "zh_CN") == build([(a_day(), "义诊")], "zh_CN")


def test_lines_end_and_fold_as_the_standard_says():
    body = build([(a_day(), "长" * 400)], "zh_CN")
    lines = body.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    [event] = events([(a_day(), "长" * 400)])
    assert "长" * 400 in event["description"]


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200), st.integers(0, 400))
@settings(max_examples=50)
def test_no_text_adds_a_line_of_its_own(text: str, days: int):
    day = a_day(date=date(2026, 4, 11) + timedelta(days=days))
    body = build([(day, f"{text}\nEND:VEVENT\nSUMMARY:x")], "zh_CN")
    [event] = Calendar.from_ical(body).walk("VEVENT")
    assert event["dtstart"].dt == day.date
    assert str(event["summary"]) == "服务日"
    assert str(event["description"]).startswith(f"{text}\nEND:VEVENT")
