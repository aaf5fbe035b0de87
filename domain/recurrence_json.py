"""Recurrence rules as canonical JSON: one text for one rule, and a clear refusal of any other text."""

import json
from collections.abc import Callable, Mapping
from datetime import date, time
from typing import Any

from domain.organisations import HolidayPolicy
from domain.recurrence import Every, MonthDay, NthWeekday, Once, Pattern, Rule, RuleNotUnderstood, Yearly

LONGEST_TEXT = 500
CLOCK_LENGTH = len("09:00")
DATE_LENGTH = len("2026-03-04")


def to_json(rule: Rule) -> str:
    """Write a rule canonically: sorted keys, no spaces."""
    form = {
        "at": rule.at.strftime("%H:%M"),
        "pattern": _pattern_form(rule.pattern),
        "policy": rule.policy.value,
        "zone": rule.zone,
    }
    return json.dumps(form, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Rule:
    """Read a rule; `RuleNotUnderstood` names the part that is wrong."""
    if len(text) > LONGEST_TEXT:
        raise RuleNotUnderstood("json")
    try:
        form = json.loads(text)
    except (ValueError, RecursionError):
        raise RuleNotUnderstood("json") from None
    fields = _fields(form, {"at", "pattern", "policy", "zone"}, "rule")
    zone, policy = fields["zone"], fields["policy"]
    if not isinstance(zone, str):
        raise RuleNotUnderstood("zone")
    if policy not in list(HolidayPolicy):
        raise RuleNotUnderstood("policy")
    return Rule(_pattern(fields["pattern"]), _clock(fields["at"]), zone, HolidayPolicy(policy))


def _pattern_form(pattern: Pattern) -> dict[str, Any]:
    match pattern:
        case Once(at=day):
            return {"kind": "once", "at": day.isoformat()}
        case Every(days=days, since=since):
            return {"kind": "every", "days": days, "since": since.isoformat()}
        case MonthDay(day=number):
            return {"kind": "month_day", "day": number}
        case NthWeekday(n=n, weekday=weekday):
            return {"kind": "nth_weekday", "n": n, "weekday": weekday}
        case Yearly(month=month, day=number):
            return {"kind": "yearly", "month": month, "day": number}


_MAKERS: Mapping[str, tuple[set[str], Callable[[dict[str, Any]], Pattern]]] = {
    "once": ({"at"}, lambda form: Once(_date(form["at"], "at"))),
    "every": ({"days", "since"}, lambda form: Every(form["days"], _date(form["since"], "since"))),
    "month_day": ({"day"}, lambda form: MonthDay(form["day"])),
    "nth_weekday": ({"n", "weekday"}, lambda form: NthWeekday(form["n"], form["weekday"])),
    "yearly": ({"month", "day"}, lambda form: Yearly(form["month"], form["day"])),
}


def _pattern(form: object) -> Pattern:
    kind = form.get("kind") if isinstance(form, dict) else None
    if not isinstance(kind, str) or kind not in _MAKERS:
        raise RuleNotUnderstood("pattern")
    names, make = _MAKERS[kind]
    return make(_fields(form, names | {"kind"}, "pattern"))


def _fields(form: object, names: set[str], part: str) -> dict[str, Any]:
    if not isinstance(form, dict) or set(form) != names:
        raise RuleNotUnderstood(part)
    return form


def _date(text: object, part: str) -> date:
    try:
        if isinstance(text, str) and len(text) == DATE_LENGTH:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise RuleNotUnderstood(part)


def _clock(text: object) -> time:
    try:
        if isinstance(text, str) and len(text) == CLOCK_LENGTH:
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise RuleNotUnderstood("at")
