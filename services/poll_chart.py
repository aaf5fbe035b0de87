"""The picture of a result: one bar an option, drawn on the server.

No font comes with the bridge. Where the machine has one for Chinese, the options stand above their bars;
else the bars carry the options' numbers alone, which the caption explains.
"""

import io
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from domain.poll_counting import Count
from domain.polls import Poll

WIDTH, MARGIN, BAR, GAP, LABEL = 960, 40, 40, 28, 46
TITLE, FIGURES = 64, 200
INK, MUTED, TRACK, FILL, PAPER = "#1f2933", "#52606d", "#e4e7eb", "#c8102e", "#ffffff"
TEXT_SIZE, TITLE_SIZE = 30, 34
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "C:/Windows/Fonts/msyh.ttc",
)
"""Where systems keep a font with Chinese; in a collection the simplified forms may not come first, so it is named."""
SIMPLIFIED = "SC"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def draw(poll: Poll, count: Count) -> bytes:
    """Return a PNG with a bar for each option; a few milliseconds of work."""
    row = LABEL + BAR + GAP
    height = 2 * MARGIN + TITLE + row * len(poll.options)
    picture = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(picture)
    title = _fitting(pen, poll.question, TITLE_SIZE, WIDTH - 2 * MARGIN, f"n = {count.voted}")
    pen.text((MARGIN, MARGIN), title, INK, _font(TITLE_SIZE))
    for option in poll.options:
        top = MARGIN + TITLE + row * option.number
        number = f"{option.number + 1}."
        room = WIDTH - 2 * MARGIN - FIGURES
        label = _fitting(pen, f"{number} {option.text}", TEXT_SIZE, room, number)
        _bar(pen, top, label, count.options[option.number], count.percent(option.number), count.voted)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def has_chinese() -> bool:
    """Say whether this machine has a font to write options with."""
    return _chinese() is not None


def _bar(pen: ImageDraw.ImageDraw, top: int, label: str, votes: int, percent: int, voted: int) -> None:
    full = WIDTH - 2 * MARGIN
    figures = f"{votes} ({percent}%)"
    pen.text((MARGIN, top), label, INK, _font(TEXT_SIZE))
    pen.text((WIDTH - MARGIN, top), figures, MUTED, _font(TEXT_SIZE), anchor="ra")
    box = (MARGIN, top + LABEL, MARGIN + full, top + LABEL + BAR)
    pen.rounded_rectangle(box, BAR // 2, TRACK)
    length = full * votes // voted if voted else 0
    if length:
        filled = (MARGIN, top + LABEL, MARGIN + max(length, BAR), top + LABEL + BAR)
        pen.rounded_rectangle(filled, BAR // 2, FILL)


def _fitting(pen: ImageDraw.ImageDraw, text: str, size: int, room: int, instead: str) -> str:
    """Return the text as far as it fits into the room; `instead`, if there is no font to write it."""
    font = _font(size)
    if not text.isascii() and _chinese() is None:
        return instead
    if pen.textlength(text, font) <= room:
        return text
    while text and pen.textlength(f"{text}…", font) > room:
        text = text[:-1]
    return f"{text}…"


@cache
def _font(size: int) -> Font:
    found = _chinese()
    if found is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(*found[:1], size=size, index=found[1])


@cache
def _chinese() -> tuple[str, int] | None:
    """Return a font file with Chinese, and which of its faces has the simplified forms."""
    for path in FONTS:
        if Path(path).exists():
            return path, _face(path)
    return None


def _face(path: str) -> int:
    index = 0
    while True:
        try:
            name = ImageFont.truetype(path, size=TEXT_SIZE, index=index).getname()[0]
        except OSError:
            return 0
        if name is not None and SIMPLIFIED in name.split():
            return index
        index += 1
