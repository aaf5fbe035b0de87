"""What goes out about a service day: the question to who confirms, the announcement, a change, a reminder."""

from datetime import date

from domain.messages import Button, Content
from domain.organisations import Organisation
from domain.richtext import RichText, join, styled
from domain.service_days import DayState, ServiceDay
from domain.service_steps import StepKind
from locales import Words, speak
from services.service_day_book import Entry
from services.service_day_words import month, on_button, reason, service_month, short, with_year
from storage.service_steps import Done

MEMBER = "sday"
"""Prefix of a member's taps: ``sday:<step>:<day>:<number>``."""
KEEPER = "skeep"
"""Prefix of the taps of who decides: ``skeep:<step>:<organisation>:<day>:<number>``."""


def member_tap(step: str, day_id: int = 0, number: int = 0) -> str:
    return f"{MEMBER}:{step}:{day_id}:{number}"


def keeper_tap(step: str, organisation_id: int, day_id: int, number: int = 0) -> str:
    return f"{KEEPER}:{step}:{organisation_id}:{day_id}:{number}"


def render(done: Done, entry: Entry, deciding: Organisation, language: str) -> Content:
    """Make the message of a step; it tells the date that stood when the step was taken."""
    words = speak(language)
    if done.kind in {StepKind.ASK, StepKind.NUDGE}:
        return _question(words, entry.day, deciding)
    if done.kind is StepKind.REMIND:
        return _reminder(words, done, entry, deciding)
    if done.kind is StepKind.CHANGE:
        return _change(words, done, entry, deciding)
    return _announcement(words, done, entry, deciding)


def _question(words: Words, day: ServiceDay, deciding: Organisation) -> Content:
    title = words("service_days.ask.title", month=month(words, day.month))
    known = "service_days.ask.date" if day.state is not DayState.UNCONFIRMED else "service_days.ask.unsure"
    text = _lines(
        styled(title, "bold"),
        words(known, day=with_year(words, day.date)),
        reason(words, day),
        words("service_days.ask.what"),
        styled(_name(deciding, words), "italic"),
    )
    where = deciding.id, day.id
    rows = (
        (
            Button(
                words("service_days.button.confirm", day=on_button(words, day.date)),
                keeper_tap("yes", *where, day.date.toordinal()),
            ),
        ),
        (
            Button(words("service_days.button.other"), keeper_tap("other", *where)),
            Button(words("service_days.button.none"), keeper_tap("none", *where)),
        ),
    )
    return Content(text.text, text.entities, keyboard=rows)


def _announcement(words: Words, done: Done, entry: Entry, deciding: Organisation) -> Content:
    title = words("service_days.announce.title", day=with_year(words, done.about))
    text = _lines(
        styled(title, "bold"),
        service_month(words, entry.day),
        reason(words, entry.day) if done.about == entry.day.date else "",
        _activities(words, entry),
        _foot(words, deciding),
    )
    return Content(text.text, text.entities, keyboard=_member_rows(words, entry.day))


def _change(words: Words, done: Done, entry: Entry, deciding: Organisation) -> Content:
    if done.cancelled:
        title = words("service_days.change.cancelled", month=month(words, entry.day.month))
        text = _lines(styled(title, "bold"), words("service_days.change.sorry"), _foot(words, deciding))
        rows = ((Button(words("service_days.button.look"), member_tap("look")),),)
        return Content(text.text, text.entities, keyboard=rows)
    title = words("service_days.change.title", day=with_year(words, done.about))
    text = _lines(
        styled(title, "bold"),
        words("service_days.change.instead"),
        _activities(words, entry),
        _foot(words, deciding),
    )
    return Content(text.text, text.entities, keyboard=_member_rows(words, entry.day))


def _reminder(words: Words, done: Done, entry: Entry, deciding: Organisation) -> Content:
    days = (done.about - date.fromordinal(done.key)).days
    text = _lines(
        styled(words.plural("service_days.remind.title", days, day=short(words, done.about)), "bold"),
        service_month(words, entry.day),
        _activities(words, entry),
        _foot(words, deciding),
    )
    rows = (
        (Button(words("service_days.button.ics"), member_tap("ics", entry.day.id)),),
        (Button(words("service_days.button.stop"), member_tap("stop")),),
    )
    return Content(text.text, text.entities, keyboard=rows)


def _activities(words: Words, entry: Entry) -> RichText | str:
    if not entry.text:
        return words("service_days.activities.none")
    return join(styled(words("service_days.activities.title"), "bold"), "\n", entry.text)


def _member_rows(words: Words, day: ServiceDay) -> tuple[tuple[Button, ...], ...]:
    return (
        (Button(words("service_days.button.ics"), member_tap("ics", day.id)),),
        (Button(words("service_days.button.look"), member_tap("look")),),
    )


def _foot(words: Words, deciding: Organisation) -> RichText:
    return styled(words("service_days.why_this", organisation=_name(deciding, words)), "italic")


def _name(organisation: Organisation, words: Words) -> str:
    return organisation.name_en if words.language == "en" and organisation.name_en else organisation.name


def _lines(*parts: RichText | str) -> RichText:
    """Put paragraphs under each other; empty ones are left out."""
    kept = [part for part in parts if (part.text if isinstance(part, RichText) else part)]
    spaced: list[RichText | str] = []
    for part in kept:
        spaced.extend(("\n\n", part) if spaced else (part,))
    return join(*spaced)
