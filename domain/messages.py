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


LARGEST_ALBUM = 10


@dataclass(frozen=True, slots=True)
class Original:
    """A message that an account sent or got before; it can be copied within that account."""

    account_id: int
    chat_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class Content:
    """A message to be sent: text with Bot API entities (offsets in UTF-16 units), media, inline buttons.

    `album` is instead of `media`: files of one kind that are shown as one. `copy_of` is a message of the same
    text, so that where it was sent a small request does; everywhere else the content itself goes out.
    """

    text: str
    entities: tuple[dict[str, Any], ...] = ()
    media: Media | None = None
    keyboard: tuple[tuple[Button, ...], ...] = field(default=())
    album: tuple[Media, ...] = ()
    copy_of: Original | None = None

    def __post_init__(self) -> None:
        if self.copy_of is not None and (self.media is not None or self.album):
            msg = "files go by their ids: only a text is copied"
            raise ValueError(msg)
        if not self.album:
            return
        if self.media is not None or not 2 <= len(self.album) <= LARGEST_ALBUM:  # noqa: PLR2004 - one is no album
            msg = "an album has two to ten files, and no other media beside it"
            raise ValueError(msg)
        if len({media.kind for media in self.album}) > 1:
            msg = "pictures and documents do not mix in an album"
            raise ValueError(msg)
        if self.keyboard and not self.text:
            msg = "an album's buttons follow it in a message of their own, which needs a text"
            raise ValueError(msg)

    @property
    def messages(self) -> int:
        """How many messages it is in the chat, and of the pace: an album's files, and its words if they follow."""
        return len(self.album) + bool(self.keyboard) if self.album else 1


@dataclass(frozen=True, slots=True)
class Envelope:
    """A content on its way to one address; a `paid` one may go beyond the free limit, for Stars of the account."""

    to: Address
    content: Content
    paid: bool = False
