"""What an invitation looks like outside the chat: a QR picture, and a sheet to print in large letters."""

from html import escape
from io import BytesIO

import segno

from domain.invitations import spaced
from locales import Words
from services.invitations import Issued

_SHEET = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<style>
@page {{ size: A4; margin: 20mm }}
body {{ font: 18pt/1.6 "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #111;
        max-width: 170mm; margin: 0 auto; padding: 8mm }}
h1 {{ font-size: 30pt; margin: 0 0 6mm }}
svg {{ width: 70mm; height: 70mm; display: block; margin: 4mm auto }}
code {{ font: bold 20pt "Courier New", monospace; letter-spacing: 1px; display: block; text-align: center;
        border: 1px solid #111; padding: 4mm; margin: 4mm 0; word-break: break-all }}
ol {{ padding-left: 1.2em }} .small {{ font-size: 14pt; color: #333 }}
</style></head><body>
<h1>{title}</h1>
<p>{who}</p>
<ol><li>{scan}</li><li>{type}</li><li>{wait}</li></ol>
{picture}
<code>{code}</code>
<p class="small">{why}</p>
<p class="small">{expires}</p>
<p class="small">{offline}</p>
</body></html>
"""


def qr_png(link: str) -> bytes:
    """Draw a link as a QR picture, large enough for a scratched phone camera."""
    out = BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="png", scale=10, border=4)
    return out.getvalue()


def sheet(words: Words, issued: Issued, link: str, when: str) -> bytes:
    """Lay out the paper form as one self-contained page, ready for a printer."""
    fields = {
        "title": words("invite.sheet.title"),
        "who": words("invite.sheet.who", name=issued.name, organisation=issued.organisation),
        "scan": words("invite.sheet.scan"),
        "type": words("invite.sheet.type"),
        "wait": words("invite.sheet.wait"),
        "why": words("invite.sheet.why"),
        "expires": words("invite.sheet.expires", when=when),
        "offline": words("start.stranger.offline"),
        "code": spaced(issued.code),
        "language": words.language.replace("_", "-"),
    }
    safe = {name: escape(value) for name, value in fields.items()}
    return _SHEET.format(picture=_qr_svg(link), **safe).encode()


def _qr_svg(link: str) -> str:
    return str(segno.make(link, error="m", micro=False).svg_inline(border=2, omitsize=True))
