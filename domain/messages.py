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
    """A file: `kind` is photo or document, and `digest` names its bytes in the media folder.

    Of the kind `MESSAGE` it is a message that an account was given, a film or a sound, which that account copies;
    there are no bytes of it, and by another account only the words of its content go out.
    """

    kind: str
    name: str
    digest: str


LARGEST_ALBUM = 10
MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Original:
    """A message that an account got before, and can copy: `known_as` is to it what the id is to a file."""

    chat_id: int
    message_id: int

    @property
    def known_as(self) -> str:
        return f"{self.chat_id}/{self.message_id}"

    @classmethod
    def of(cls, known_as: str) -> "Original":
        chat_id, _, message_id = known_as.partition("/")
        return cls(int(chat_id), int(message_id))


@dataclass(frozen=True, slots=True)
class Content:
    """A message to be sent: text with Bot API entities (offsets in UTF-16 units), media, inline buttons.

    `album` is instead of `media`: files of one kind that are shown as one.
    """

    text: str
    entities: tuple[dict[str, Any], ...] = ()
    media: Media | None = None
    keyboard: tuple[tuple[Button, ...], ...] = field(default=())
    album: tuple[Media, ...] = ()

    def __post_init__(self) -> None:
        if not self.album:
            return
        if self.media is not None or not 2 <= len(self.album) <= LARGEST_ALBUM:  # noqa: PLR2004 - one is no album
            msg = "an album has two to ten files, and no other media beside it"
            raise ValueError(msg)
        kinds = {media.kind for media in self.album}
        if len(kinds) > 1 or MESSAGE in kinds:
            msg = "pictures and documents do not mix in an album, and nothing is copied into one"
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
    """A content on its way to one address; a `paid` one may go beyond the free limit, for Stars of the account.

    `album_ids`: as what its account's server knows the files of an album; one without is uploaded.
    """

    to: Address
    content: Content
    paid: bool = False
    album_ids: tuple[str | None, ...] = ()
