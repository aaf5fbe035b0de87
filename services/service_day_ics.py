"""Service days as an iCalendar file (RFC 5545): whole days, which begin and end wherever one lives.

A month's day keeps its UID for good; SEQUENCE rises when it moves or falls away, so that calendars follow.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vDuration

from domain.service_days import DayState, ServiceDay
from locales import Words, speak
from services.service_day_words import reason

FILE_NAME = "service-days.ics"
CONTENT_TYPE = "text/calendar; charset=utf-8"
ONE_DAY = timedelta(days=1)
REFRESH = timedelta(hours=12)
STATUS = {DayState.CONFIRMED: "CONFIRMED", DayState.CANCELLED: "CANCELLED"}


def build(days: Iterable[tuple[ServiceDay, str]], language: str) -> bytes:
    """Write days, each with its activities, as a calendar; what nobody has confirmed is tentative."""
    words = speak(language)
    calendar = Calendar()
    calendar.add("prodid", "-//Tongdao//Service days//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", words("service_days.calendar.name"))
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for day, text in days:
        calendar.add_component(_event(day, text, words))
    return bytes(calendar.to_ical())


def _event(day: ServiceDay, text: str, words: Words) -> Event:
    event = Event()
    event.add("uid", f"service-day-{day.organisation_id}-{day.month:%Y-%m}@tongdao")
    event.add("sequence", day.revision)
    event.add("dtstamp", _whole(day.changed_at))
    event.add("last-modified", _whole(day.changed_at))
    event.add("dtstart", day.date)
    event.add("dtend", day.date + ONE_DAY)
    event.add("status", STATUS.get(day.state, "TENTATIVE"))
    event.add("transp", "TRANSPARENT")
    key = "open" if day.state.open else "set"
    event.add("summary", words(f"service_days.calendar.summary.{key}"))
    described = "\n".join(part for part in (text, reason(words, day)) if part)
    if described:
        event.add("description", described)
    return event


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)
