"""``parse_mode=HTML``: markup to text and entities (https://core.telegram.org/bots/api#html-style).

Offsets and lengths are UTF-16 code units. Wording of errors follows tdlib's MessageEntity.cpp.
"""

import re
import sys
from typing import Any

from webchat import links
from webchat.errors import bad_request

TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline", "ins": "underline",
    "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough", "tg-spoiler": "spoiler",
    "code": "code", "pre": "pre", "blockquote": "blockquote", "a": "text_link", "span": "spoiler",
}  # fmt: skip
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}  # the only names Telegram knows
REFERENCE = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z]+));?")
SURROGATES = range(0xD800, 0xE000)
PROGRAM = "language-"
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s+[^<>]*)?)>")
ATTRIBUTE = re.compile(r"([A-Za-z-]+)\s*(?:=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+)))?")


def units(text: str) -> int:
    """Count UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def unescape(text: str) -> str:
    """Replace numeric references and the four named ones; anything else stays as it was written."""
    return REFERENCE.sub(_character, text) if "&" in text else text


def _character(reference: re.Match[str]) -> str:
    if reference[3]:
        return NAMED.get(reference[3], reference[0])
    code = int(reference[1]) if reference[1] else int(reference[2], 16)
    return chr(code) if 0 < code <= sys.maxunicode and code not in SURROGATES else reference[0]


def parse(markup: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the text and its entities, in order of their offsets."""
    parts: list[str] = []
    entities: list[dict[str, Any]] = []
    stack: list[tuple[str, dict[str, Any]]] = []
    at = position = 0
    while position < len(markup):
        nearest = markup.find("<", position)
        plain = unescape(markup[position : nearest if nearest >= 0 else len(markup)])
        parts.append(plain)
        at += units(plain)
        if nearest < 0:
            break
        tag = TAG.match(markup, nearest)
        if tag is None:
            raise bad_request(
                f'can\'t parse entities: Unsupported start tag "" at byte offset {_bytes(markup, nearest)}'
            )
        position = tag.end()
        name = tag[2].lower()
        if tag[1]:
            _close(stack, name, "".join(parts), at, entities, _bytes(markup, nearest))
        else:
            stack.append((name, {"offset": at, **_kind(name, tag[3], _bytes(markup, nearest))}))
    if stack:
        raise bad_request(
            f"can't parse entities: Can't find end tag corresponding to start tag \"{stack[-1][0]}\""
        )
    entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
    return "".join(parts), _with_program_languages(entities)


def _kind(name: str, attributes: str, where: int) -> dict[str, Any]:
    if name not in TAGS:
        raise bad_request(f'can\'t parse entities: Unsupported start tag "{name}" at byte offset {where}')
    given = {m[1].lower(): unescape(m[2] or m[3] or m[4] or "") for m in ATTRIBUTE.finditer(attributes)}
    if name == "a":
        return {"type": "text_link", "url": given.get("href", "")}
    if name == "blockquote" and "expandable" in given:
        return {"type": "expandable_blockquote"}
    if name == "code" and given.get("class", "").startswith(PROGRAM):
        return {"type": "code", "language": given["class"].removeprefix(PROGRAM)}
    if name == "span" and given.get("class") != "tg-spoiler":
        raise bad_request(
            f'can\'t parse entities: Tag "span" must have class "tg-spoiler" at byte offset {where}'
        )
    return {"type": TAGS[name]}


def _close(
    stack: list[tuple[str, dict[str, Any]]],
    name: str,
    text: str,
    at: int,
    entities: list[dict[str, Any]],
    where: int,
) -> None:
    if not stack:
        raise bad_request(f"can't parse entities: Unexpected end tag at byte offset {where}")
    expected, opened = stack.pop()
    if name != expected:
        raise bad_request(
            f"can't parse entities: Unmatched end tag at byte offset {where},"
            f' expected "</{expected}>", found "</{name}>"'
        )
    entity = {**opened, "length": at - opened["offset"]}
    if entity["type"] == "text_link":
        written = text.encode("utf-16-le")[entity["offset"] * 2 :].decode("utf-16-le")
        entity["url"] = entity["url"] or written  # a link without an address links to what it says
        if not links.safe(entity["url"]):
            return
    if entity["length"]:
        entities.append(entity)


def _with_program_languages(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make one block of ``<pre><code class="language-...">``; a language elsewhere says nothing."""
    languages = {(e["offset"], e["length"]): e["language"] for e in entities if "language" in e}
    blocks = {(e["offset"], e["length"]) for e in entities if e["type"] == "pre"}
    kept: list[dict[str, Any]] = []
    for entity in entities:
        place = (entity["offset"], entity["length"])
        if entity["type"] == "pre" and place in languages:
            kept.append({**entity, "language": languages[place]})
        elif "language" not in entity:
            kept.append(entity)
        elif place not in blocks:
            kept.append({key: value for key, value in entity.items() if key != "language"})
    return kept


def _bytes(text: str, position: int) -> int:
    return len(text[:position].encode())
