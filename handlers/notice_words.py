"""How notices and their audiences read: in lists, in previews, and in the answer to "why did I get this?"."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from aiogram.types import MessageEntity
from aiogram.utils.formatting import Text

from domain.notices import Notice, NoticeState
from domain.richtext import RichText, shorten
from handlers.names import name_of
from handlers.times import moment
from locales import Words
from services.audiences import Part

EXCERPT = 400
LINE = 24
_MARKS = {
    NoticeState.DRAFT: "📝",
    NoticeState.SCHEDULED: "⏰",
    NoticeState.SENDING: "▶",
    NoticeState.SENT: "✓",
    NoticeState.CANCELLED: "✕",
}


def audience_lines(words: Words, parts: Iterable[Part]) -> str:
    """Read an audience aloud, a part a line, in its canonical order."""
    keys = {False: "audience.line.include", True: "audience.line.exclude"}
    return "\n".join(words(keys[part.excluded], scope=scope_words(words, part)) for part in parts)


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


def headline(words: Words, notice: Notice, most: int = LINE) -> str:
    """Name a notice by its first line, or by its file."""
    first = notice.content.text.partition("\n")[0]
    if first:
        return shorten(RichText(first), most).text
    if notice.media is not None and notice.media.kind == "document":
        return words("notices.list.file", name=shorten(RichText(notice.media.name), most).text)
    return words("notices.list.photo")


def desk_line(words: Words, notice: Notice) -> str:
    """Write ``⏰ 3月5日 09:00 请参加学习``."""
    at = notice.sent_at or notice.scheduled_at
    when = f"{moment(words, at, ZoneInfo(notice.sender.zone))} " if at else ""
    return f"{_MARKS[notice.state]} {when}{headline(words, notice)}"


def media_line(words: Words, notice: Notice) -> str:
    if notice.media is None:
        return ""
    if notice.media.kind == "document":
        return words("notices.open.file", name=notice.media.name)
    return words("notices.open.photo")
