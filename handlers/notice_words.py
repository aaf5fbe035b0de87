"""How notices and their audiences read: in lists, in previews, and in the answer to "why did I get this?"."""

from collections.abc import Sequence
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

from aiogram.types import MessageEntity
from aiogram.utils.formatting import Text

from domain.messages import MESSAGE
from domain.notices import Notice, NoticeState
from domain.reach import Reach
from domain.richtext import RichText, shorten
from handlers.names import name_of
from handlers.times import moment, short_day
from locales import Words
from services.audiences import Part

EXCERPT = 400
MOST_LINES = 15
LINE = 24
"""Columns of a button's label; a Chinese character takes two."""
_MARKS = {
    NoticeState.DRAFT: "📝",
    NoticeState.SCHEDULED: "⏰",
    NoticeState.REPEATING: "🔁",
    NoticeState.SENDING: "▶",
    NoticeState.SENT: "✓",
    NoticeState.CANCELLED: "✕",
}


def audience_lines(words: Words, parts: Sequence[Part]) -> str:
    """Read an audience aloud, a part a line, in its canonical order; so many that a message holds them."""
    keys = {False: "audience.line.include", True: "audience.line.exclude"}
    lines = [words(keys[part.excluded], scope=scope_words(words, part)) for part in parts[:MOST_LINES]]
    if len(parts) > MOST_LINES:
        lines.append(words("audience.line.more", n=len(parts) - MOST_LINES))
    return "\n".join(lines)


def scope_words(words: Words, part: Part) -> str:
    """Write ``海曙区(含下级)· 正式成员 · 订阅「政策」``."""
    scope = part.scope
    pieces = [words("audience.subtree", name=name_of(words, part.organisation))]
    groups = (
        [f"organisations.level.{level}" for level in scope.levels],
        [f"organisations.kind.{kind}" for kind in scope.kinds],
        [f"organisations.mode.{mode}" for mode in scope.modes],
        [f"audience.standing.{standing}" for standing in scope.standings],
    )
    pieces.extend(words("audience.or").join(words(key) for key in keys) for keys in groups if keys)
    if scope.mobile is not None:
        pieces.append(words("audience.mobile.yes" if scope.mobile else "audience.mobile.no"))
    if part.topic is not None:
        pieces.append(words("audience.topic", name=name_of(words, part.topic)))
    return words("audience.and").join(pieces)


def excerpt(rich: RichText, most: int = EXCERPT) -> Text:
    """Show the beginning of a text as it was formatted."""
    short = shorten(rich, most)
    entities = [MessageEntity.model_validate(entity) for entity in short.entities]
    return Text.from_entities(short.text, entities) if entities else Text(short.text)


def is_hidden(words: Words, notice: Notice) -> bool:
    """Say whether a chat must not show what a notice says: it is sensitive, and the chat's data lies abroad."""
    return notice.sensitive and not words.at_home


def opening(words: Words, notice: Notice, most: int = EXCERPT) -> Text:
    """Show the beginning of a notice to who sends it."""
    if is_hidden(words, notice):
        return Text(words("notices.hidden.what"))
    return excerpt(notice.content, most)


def headline(words: Words, notice: Notice, columns: int = LINE) -> str:
    """Name a notice by its first line, or by its file; a hidden one by what it is, an urgent one as such."""
    mark = words("notices.urgent.list") if notice.urgent else ""
    return mark + _headline(words, notice, columns)


def _headline(words: Words, notice: Notice, columns: int) -> str:
    if is_hidden(words, notice):
        return words("notices.hidden")
    first = notice.content.text.partition("\n")[0]
    if first:
        return fit(first, columns)
    if notice.media is not None and notice.media.kind == "document":
        return words("notices.list.file", name=fit(notice.media.name, columns))
    return words("notices.list.photo")


def fit(text: str, columns: int) -> str:
    """Cut a text to so many columns."""
    taken = 0
    for index, character in enumerate(text):
        taken += 1 + (east_asian_width(character) in "WF")
        if taken > columns:
            return f"{text[: max(index - 1, 1)].rstrip()}…"
    return text


def desk_line(words: Words, notice: Notice) -> str:
    """Write ``⏰ 3月5日 09:00 请参加学习``."""
    mark, zone = _MARKS[notice.state], ZoneInfo(notice.sender.zone)
    if notice.sent_at is not None:
        return f"{mark} {short_day(words, notice.sent_at, zone)} {headline(words, notice)}"
    if notice.scheduled_at is not None:
        return f"{mark} {moment(words, notice.scheduled_at, zone)} {headline(words, notice, LINE - 6)}"
    return f"{mark} {headline(words, notice)}"


def reach_lines(words: Words, reach: Reach, zone: ZoneInfo) -> str:
    """Say how many get it and when, how many not and why."""
    lines = [words("preview.reach.total", n=reach.total)]
    if reach.at_once:
        lines.append(words("preview.reach.at_once", n=reach.at_once))
    if reach.quiet and reach.quiet_until:
        when = moment(words, reach.quiet_until, zone)
        lines.append(words("preview.reach.quiet", n=reach.quiet, when=when))
    if reach.resting and reach.resting_until:
        when = moment(words, reach.resting_until, zone)
        lines.append(words("preview.reach.resting", n=reach.resting, when=when))
    if reach.capped and reach.capped_until:
        when = moment(words, reach.capped_until, zone)
        lines.append(words("preview.reach.capped", n=reach.capped, when=when))
    if reach.unreachable:
        lines.append(words("preview.reach.not", n=reach.unreachable))
        lines.extend(
            words("report.reason", reason=words(f"report.reason.{why}"), n=count)
            for why, count in (
                ("no_account", reach.no_account),
                ("blocked", reach.blocked),
                ("stopped", reach.stopped),
                ("residency", reach.residency),
            )
            if count
        )
    if reach.expected_finish and reach.reachable:
        lines.append(words("preview.reach.finish", when=moment(words, reach.expected_finish, zone)))
    return "\n".join(lines)


def media_line(words: Words, notice: Notice) -> str:
    if notice.media is None or is_hidden(words, notice):
        return ""
    if notice.media.kind == MESSAGE:
        return words("notices.open.film")
    count, name = 1 + len(notice.more), notice.media.name
    if notice.media.kind == "document":
        return words("notices.open.files" if notice.more else "notices.open.file", name=name, count=count)
    return words("notices.open.album" if notice.more else "notices.open.photo", count=count)
