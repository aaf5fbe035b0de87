"""Text with Bot API entities: lengths and offsets in UTF-16 units, kept styles, and joining with shifted offsets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

Entity = dict[str, Any]

STYLES = frozenset(
    {
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "code",
        "pre",
        "blockquote",
        "expandable_blockquote",
        "text_link",
    }
)
"""Entities a person set by hand; the others (links, hashtags, commands) a server finds again by itself."""
LINKS = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class RichText:
    """A text and its entities, whose offsets and lengths count UTF-16 units."""

    text: str = ""
    entities: tuple[Entity, ...] = ()

    @property
    def units(self) -> int:
        return units(self.text)


def units(text: str) -> int:
    """Count UTF-16 units, as the messenger's limits do: an emoji beyond the first plane is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def join(*parts: RichText | str) -> RichText:
    """Put texts one after the other, each part's entities shifted by what stands before it."""
    text, shift = "", 0
    entities: list[Entity] = []
    for part in parts:
        rich = part if isinstance(part, RichText) else RichText(part)
        entities.extend({**each, "offset": each["offset"] + shift} for each in rich.entities)
        text += rich.text
        shift += rich.units
    return RichText(text, tuple(entities))


def styled(text: str, style: str) -> RichText:
    """Return the whole text in one style."""
    return RichText(text, ({"type": style, "offset": 0, "length": units(text)},) if text else ())


def tidy(text: str, entities: Iterable[Mapping[str, Any]]) -> RichText:
    """Trim the text and keep the styles that lie within it; what a forged client made up is left out."""
    lead = units(text) - units(text.lstrip())
    trimmed = text.strip()
    length = units(trimmed)
    kept = (_within(entity, lead, length) for entity in entities)
    return RichText(trimmed, tuple(entity for entity in kept if entity is not None))


def shorten(rich: RichText, most: int) -> RichText:
    """Cut to at most so many UTF-16 units, with an ellipsis; no entity reaches beyond the cut."""
    if rich.units <= most:
        return rich
    cut = _cut(rich.text, most - 1)
    kept = (_within(entity, 0, units(cut)) for entity in rich.entities)
    return RichText(f"{cut}…", tuple(entity for entity in kept if entity is not None))


def _within(entity: Mapping[str, Any], lead: int, length: int) -> Entity | None:
    offset, size = entity.get("offset"), entity.get("length")
    if entity.get("type") not in STYLES or not isinstance(offset, int) or not isinstance(size, int):
        return None
    start, end = max(offset - lead, 0), min(offset - lead + size, length)
    if start >= end or not _links_well(entity):
        return None
    extra = {name: entity[name] for name in ("url", "language") if isinstance(entity.get(name), str)}
    return {"type": entity["type"], "offset": start, "length": end - start, **extra}


def _links_well(entity: Mapping[str, Any]) -> bool:
    return entity["type"] != "text_link" or str(entity.get("url", "")).lower().startswith(LINKS)


def _cut(text: str, most: int) -> str:
    """Take whole characters while they fit."""
    return text[: sum(taken <= most for taken in accumulate(map(units, text)))]
