"""Filters of an audience: level, kind, mode, standing, mobile members, and a topic."""

from collections.abc import Sequence

from aiogram.types import CallbackQuery, InlineKeyboardButton

from domain.members import Standing
from domain.organisations import Level, OrganisationKind, RegionalMode
from domain.permissions import Actor
from domain.picking import FILTERS, MOBILE, Picked, picked
from handlers.aim_places import chosen_lines
from handlers.aims import Aim, Sift, aimed_as
from handlers.keyboards import Row, button, keyboard, screen, show
from handlers.names import name_of
from handlers.taps import StaleTap, tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox

_PREFIXES = {
    "level": "organisations.level",
    "kind": "organisations.kind",
    "mode": "organisations.mode",
    "standing": "audience.standing",
    "mobile": "audience.mobile",
}
_VALUES: dict[str, Sequence[str]] = {
    "level": tuple(Level),
    "kind": tuple(OrganisationKind),
    "mode": tuple(RegionalMode),
    "standing": tuple(Standing),
    "mobile": tuple(MOBILE),
}
FIELDS = ("standing", "mobile", "topic", "level", "kind", "mode")
ANY = "any"
MOST_DIGITS = 18
"""Digits of a topic's id; a longer one is forged, and no database could hold it."""


@tap(Sift)
@members_only
async def on_sift(query: CallbackQuery, tap: Sift, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Show the filters, or one filter's choices, or set one; set outright, so that it may come twice."""
    if (tap.field and tap.field not in FIELDS) or (tap.field == "topic" and len(tap.value) > MOST_DIGITS):
        raise StaleTap
    service = aimed_as(tap.what).service(toolbox)
    chosen = picked(await service.audience(actor, tap.id))
    if tap.value:
        chosen = _set(chosen, tap)
        await service.choose(actor, tap.id, chosen.audience)
    if tap.field:
        await _show_choices(query, toolbox, actor, words, chosen, tap)
    else:
        await _show_filters(query, toolbox, actor, words, chosen, tap)


def _set(chosen: Picked, tap: Sift) -> Picked:
    try:
        return chosen.clear(tap.field) if tap.value == ANY else chosen.sift(tap.field, tap.value, on=tap.on)
    except ValueError as error:
        raise StaleTap from error


async def _show_filters(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, chosen: Picked, tap: Sift
) -> None:
    rows: list[Row] = []
    for field in FIELDS:
        count = len(_active(chosen, field))
        label = words(f"audience.field.{field}")
        mark = (
            words("audience.field.some", field=label, n=count)
            if count
            else words("audience.field.any", field=label)
        )
        rows.append([button(mark, Sift(what=tap.what, id=tap.id, field=field))])
    text = screen(
        words("audience.filters.title"), await chosen_lines(toolbox, actor, words, tap.what, tap.id)
    )
    await show(query, text, keyboard(words, *rows, back=Aim(step="at", what=tap.what, id=tap.id)))


async def _show_choices(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, chosen: Picked, tap: Sift
) -> None:
    active = _active(chosen, tap.field)
    named = await _named(toolbox, words, tap.field)
    everyone = Sift(what=tap.what, id=tap.id, field=tap.field, value=ANY, on=True)
    rows = [[_choice(words("audience.any"), everyone, on=not active)]]
    for value, name in named:
        other = Sift(what=tap.what, id=tap.id, field=tap.field, value=value, on=value not in active)
        rows.append([_choice(name, other, on=value in active)])
    text = screen(
        words(f"audience.field.{tap.field}"),
        await chosen_lines(toolbox, actor, words, tap.what, tap.id),
        words(f"audience.hint.{tap.field}") if f"audience.hint.{tap.field}" in words else "",
    )
    await show(query, text, keyboard(words, *rows, back=Sift(what=tap.what, id=tap.id)))


def _choice(name: str, data: Sift, *, on: bool) -> InlineKeyboardButton:
    return button(f"{'✅' if on else '⬜'} {name}", data)


async def _named(toolbox: Toolbox, words: Words, field: str) -> list[tuple[str, str]]:
    """Return a filter's values with their names."""
    if field == "topic":
        return [(str(one.id), name_of(words, one)) for one in await toolbox.topics.everything()]
    return [(str(value), words(f"{_PREFIXES[field]}.{value}")) for value in _VALUES[field]]


def _active(chosen: Picked, field: str) -> frozenset[str]:
    filters = chosen.filters
    if field == "mobile":
        return frozenset(name for name, value in MOBILE.items() if filters.mobile is value)
    if field == "topic":
        return frozenset() if filters.topic_id is None else frozenset({str(filters.topic_id)})
    return frozenset(str(value) for value in getattr(filters, FILTERS[field][0]))
