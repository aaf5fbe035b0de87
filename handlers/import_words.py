"""The screens of a roster that comes in: its columns, what it would do, what it has done."""

from aiogram.filters.callback_data import CallbackData

from domain.roster import NEEDED, Bad, Column, Import, ImportState, RosterKind
from handlers.keyboards import Go, Number, Row, button
from locales import Words
from services import roster_words

SHOWN_BAD = 5
LONGEST_HEADING = 24


class Roll(CallbackData, prefix="roll"):
    """A step of an import: open, look, turn, bad, missing, ask (to write), write, drop."""

    step: str
    id: Number


class RollColumn(CallbackData, prefix="rollc"):
    """A column of the file: to be given a meaning (`to` is empty), or given one (``-`` for none)."""

    id: Number
    at: Number
    to: str = ""


class RollPlace(CallbackData, prefix="rollp"):
    """The organisation whose roster is to come."""

    id: Number


def facts(words: Words, found: Import, place: str) -> str:
    sheet = words("roster.sheet", sheet=found.look.sheet) if found.look.sheet else ""
    return words(
        "roster.file",
        file=found.file_name,
        sheet=sheet,
        kind=words(f"roster.kind.{found.kind.value}"),
        n=found.staged or found.look.about,
        place=place,
    )


def columns(words: Words, found: Import) -> str:
    """Say how the columns are understood, what is never kept, and what is lacking."""
    never = [each.text for each in found.look.headings if each.never]
    lacking = [column for column in NEEDED[found.kind] if column not in found.plan]
    parts = [words("roster.columns")]
    if never:
        parts.append(words("roster.never", columns="、".join(never)))
    if lacking:
        parts.append(words("roster.lacking", columns="、".join(named(words, each) for each in lacking)))
    return "\n".join(parts)


def column_rows(words: Words, found: Import) -> list[Row]:
    """Return a button for each column; what is never kept has none."""
    meant = {index: column for column, index in found.plan.items()}
    return [
        [
            button(
                words(
                    "roster.column.line",
                    heading=_short(each.text),
                    meaning=named(words, meant.get(each.index)),
                ),
                RollColumn(id=found.id, at=each.index),
            )
        ]
        for each in found.look.headings
        if not each.never
    ]


def named(words: Words, column: Column | None) -> str:
    return words(f"roster.column.{column.value}") if column else words("roster.column.unused")


def outcome(words: Words, found: Import, bad: list[Bad]) -> tuple[str, ...]:
    """Say what would be done, or was, and the first bad rows."""
    done = found.state is ImportState.DONE
    figures = found.figures
    if not done and not figures.writes and not figures.bad:
        return words("roster.same"), roster_words.lines(words, figures)
    parts = [
        f"{words('roster.done' if done else 'roster.would')}\n{roster_words.lines(words, figures)}",
    ]
    if bad and not done:
        shown = [
            words("roster.bad.line", line=each.line, reason=roster_words.reason(words, each))
            for each in bad[:SHOWN_BAD]
        ]
        if figures.bad > SHOWN_BAD:
            shown.append(words("roster.bad.more", n=figures.bad - SHOWN_BAD))
        parts += ["\n".join(shown), words("roster.bad.how")]
    return tuple(parts)


def outcome_rows(words: Words, found: Import) -> list[Row]:
    """Return the buttons below what would be done."""
    figures, number = found.figures, found.id
    if found.state is ImportState.DONE:
        return [[button(words("roster.button.next"), Go(to="import"))]]
    rows: list[Row] = []
    if figures.bad:
        rows.append([button(words("roster.button.bad", n=figures.bad), Roll(step="bad", id=number))])
    if figures.missing:
        label = words("roster.button.missing", n=figures.missing)
        rows.append([button(label, Roll(step="missing", id=number))])
    if figures.writes:
        key = "roster.button.skip" if figures.bad else "roster.button.apply"
        rows.append([button(words(key, n=figures.writes), Roll(step="ask", id=number))])
    rows.append([button(words("roster.button.columns"), Roll(step="columns", id=number))])
    rows.append([button(words("roster.button.cancel"), Roll(step="drop", id=number))])
    return rows


def other_kind(kind: RosterKind) -> RosterKind:
    return RosterKind.ORGANISATIONS if kind is RosterKind.MEMBERS else RosterKind.MEMBERS


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_HEADING else f"{text[: LONGEST_HEADING - 1]}…"
