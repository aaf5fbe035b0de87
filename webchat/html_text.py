"""``parse_mode=HTML``: markup to text and entities (https://core.telegram.org/bots/api#html-style).

Offsets and lengths are UTF-16 code units. Wording of errors follows tdlib's MessageEntity.cpp.
"""

import html
import re
from typing import Any

from webchat.errors import bad_request

TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link", "span": "spoiler",
}  # fmt: skip
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[^<>]*)?)>")
ATTRIBUTE = re.compile(r"([A-Za-z-]+)\s*(?:=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def parse(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the text and its entities, in order of their offsets."""
    parts: list[str] = []
    entities: list[dict[str, Any]] = []
    stack: list[tuple[str, dict[str, Any]]] = []
    at = position = 0
    while position < len(markup):
        nearest = markup.find("<", position)
        plain = html.unescape(markup[position : nearest if nearest >= 0 else len(markup)])
        parts.append(plain)
        at += units(plain)
        if nearest < 0:
            break
        tag = TAG.match(markup, nearest)
        if tag is None:
            raise bad_request(
                f"can't parse entities: Unsupported start tag at byte offset {_bytes(markup, nearest)}"
            )
        position = tag.end()
        name = tag[2].lower()
        if tag[1]:
            _close(stack, name, at, entities, _bytes(markup, nearest))
        else:
            stack.append((name, {"offset": at, **_kind(name, tag[3], _bytes(markup, nearest))}))
    if stack:
        raise bad_request(
            f"can't parse entities: Can't find end tag corresponding to start tag \"{stack[-1][0]}\""
        )
    return "".join(parts), sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _kind(name: str, attributes: str, where: int) -> dict[str, Any]:
    if name not in TAGS:
        raise bad_request(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {where}')
    given = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in ATTRIBUTE.finditer(attributes)}
    if name == "a":
        return {"type": "text_link", "url": given.get("href", "")}
    if name == "span" and given.get("class") != "tg-spoiler":
        raise bad_request(
            f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {where}'
        )
    return {"type": TAGS[name]}


def _close(
    stack: list[tuple[str, dict[str, Any]]], name: str, at: int, entities: list[dict[str, Any]], where: int
) -> None:
    if not stack or stack[-1][0] != name:
        expected = f', expected "</{stack[-1][0]}>"' if stack else ""
        raise bad_request(f"can't parse entities: Unmatched end tag at byte offset {where}{expected}")
    opened = stack.pop()[1]
    entity = {**opened, "length": at - opened["offset"]}
    if entity["length"] and (entity["type"] != "text_link" or entity["url"]):
        entities.append(entity)


def _bytes(text: str, position: int) -> int:
    return len(text[:position].encode())
