"""What goes out: content that is prepared once for many, independent of any messenger library."""

from dataclasses import dataclass, field
from typing import Any

from domain.accounts import Address


@dataclass(frozen=True, slots=True)
class Button:
    """An inline button: `data` (at most 64 bytes, forgeable) or a `url`."""

    text: str
    data: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Media:
    """A file: `kind` is photo or document, `digest` names its bytes in the media folder."""

    kind: str
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Content:
    """A message to be sent: text with Bot API entities (offsets in UTF-16 units), media, inline buttons."""

    text: str
    entities: tuple[dict[str, Any], ...] = ()
    media: Media | None = None
    keyboard: tuple[tuple[Button, ...], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Envelope:
    """A content on its way to one address."""

    to: Address
    content: Content
