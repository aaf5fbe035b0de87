"""Rules of a notice: its states, the limits of its text, when it may go, and what needs a typed number."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.audiences import Audience
from domain.messages import LARGEST_ALBUM, MESSAGE, Media
from domain.organisations import contains
from domain.refusals import Refusal
from domain.richtext import RichText, units

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
RESERVED = 48
"""Room that is kept for the frame around a text: the mark of a test, a date."""
TYPED_ABOVE = 500
EARLIEST = timedelta(minutes=1)
LATEST = timedelta(days=60)
LARGEST_FILE = 20 * 1024 * 1024
"""Bytes; a server hands no larger file to a bot (https://core.telegram.org/bots/api#getfile)."""

CONFIRM = "ack"
WHY = "why"
"""Prefixes of the two buttons below a notice, as `services.notices` writes and `handlers.notices` reads them."""


class NoticeState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    REPEATING = "repeating"  # goes out again and again, each time as a copy
    SENDING = "sending"
    SENT = "sent"
    CANCELLED = "cancelled"


FOLLOWING = {
    NoticeState.DRAFT: {
        NoticeState.SCHEDULED,
        NoticeState.REPEATING,
        NoticeState.SENDING,
        NoticeState.CANCELLED,
    },
    NoticeState.SCHEDULED: {NoticeState.DRAFT, NoticeState.SENDING, NoticeState.CANCELLED},
    NoticeState.REPEATING: {NoticeState.DRAFT, NoticeState.CANCELLED},
    NoticeState.SENDING: {NoticeState.SENT, NoticeState.CANCELLED},
    NoticeState.SENT: {NoticeState.SENDING},
    NoticeState.CANCELLED: set[NoticeState](),
}
"""What a state may become. A sent notice sends again when the failed ones are tried once more."""


class NoticeNotDraft(Refusal):
    """The notice has left the draft, so it cannot be changed any more."""


class NoticeMovedOn(Refusal):
    """The notice is no longer in the state in which this can be done."""


class NoticeEmpty(Refusal):
    """A notice without text and without a file says nothing."""


class NoticeTextTooLong(Refusal):
    """The text with its footer does not fit into one message."""


class NoticeFilmAlone(Refusal):
    """A film or a sound without words: who is reached by another account would get nothing of it."""


class NoticeFileTooLarge(Refusal):
    """The file is larger than a messenger hands on."""


class NoticeForNobody(Refusal):
    """Nobody matches the audience, or none is chosen."""


class NoticeFromTwoPlaces(Refusal):
    """The audience spans two places that no single grant of the author covers."""


class ScheduledTooSoon(Refusal):
    """The time is past, or less than a minute ahead."""


class ScheduledTooLate(Refusal):
    """The time is too far ahead."""


class NumberMustBeTyped(Refusal):
    """Above 500 recipients their number is typed, and it must be the right one."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The organisation in whose name a notice goes out, and the person who wrote it."""

    organisation_id: int
    path: str
    name: str
    name_en: str
    zone: str
    author_id: int
    author: str

    def organisation(self, language: str) -> str:
        """Return the organisation's name; in English its English one, where it has one."""
        return self.name_en if language == "en" and self.name_en else self.name


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as services and chat see it."""

    id: int
    sender: Sender
    state: NoticeState
    content: RichText
    media: Media | None
    audience_id: int | None
    topic_id: int | None
    needs_confirmation: bool
    created_at: datetime
    scheduled_at: datetime | None = None
    sent_at: datetime | None = None
    nudge_after: int | None = None
    more: tuple[Media, ...] = ()
    """The files of an album after its first, which is `media`."""
    sensitive: bool = False
    """It touches personal matters: it goes by no account that keeps its data abroad."""
    urgent: bool = False
    """It was sent at once, whatever the hour and the week; a draft never is."""


def joined(notice: Notice, media: Media) -> tuple[Media, ...]:
    """Return the further files of an album with one more; what is there already, or does not fit, changes nothing."""
    files = (notice.media, *notice.more)
    alike = notice.media is not None and notice.media.kind == media.kind != MESSAGE
    fits = alike and len(files) < LARGEST_ALBUM
    known = any(file is not None and file.digest == media.digest for file in files)
    return (*notice.more, media) if fits and not known else notice.more


def check_step(state: NoticeState, to: NoticeState) -> None:
    """Refuse a step that the states do not have."""
    if to not in FOLLOWING[state]:
        raise NoticeMovedOn


def check_draft(notice: Notice) -> None:
    if notice.state is not NoticeState.DRAFT:
        raise NoticeNotDraft


def room(media: Media | None, footers: Iterable[str]) -> int:
    """Return how many UTF-16 units a text may have, so that it fits in each language."""
    limit = TEXT_LIMIT if media is None else CAPTION_LIMIT
    return limit - RESERVED - max(map(units, footers), default=0)


def check_content(content: RichText, media: Media | None, footers: Iterable[str]) -> None:
    """Refuse what says nothing, and what does not fit into one message with its footer."""
    if not content.text and media is None:
        raise NoticeEmpty
    if not content.text and media is not None and media.kind == MESSAGE:
        raise NoticeFilmAlone
    most = room(media, footers)
    if content.units > most:
        raise NoticeTextTooLong(most=most, over=content.units - most)


def check_time(at: datetime, now: datetime) -> None:
    """Refuse a time that is past or too far ahead."""
    if at < now + EARLIEST:
        raise ScheduledTooSoon
    if at > now + LATEST:
        raise ScheduledTooLate(days=LATEST.days)


def must_type(recipients: int) -> bool:
    return recipients > TYPED_ABOVE


def check_number(recipients: int, typed: int | None) -> None:
    """Refuse an empty audience, and a large one whose number was not typed."""
    if recipients == 0:
        raise NoticeForNobody
    if must_type(recipients) and typed != recipients:
        raise NumberMustBeTyped(n=recipients)


def covering(audience: Audience, nodes: Iterable[tuple[int, str]]) -> int:
    """Return the (id, path) node in whose name an audience is told: the innermost one that covers all of it."""
    covers = [
        (len(path), number)
        for number, path in nodes
        if all(contains(path, scope.path) for scope in audience.include)
    ]
    if not covers:
        raise NoticeFromTwoPlaces
    return max(covers)[1]


def topic_of(audience: Audience) -> int | None:
    """Return the topic that the whole audience subscribes to, if there is one."""
    topics = {scope.topic_id for scope in audience.include}
    return topics.pop() if len(topics) == 1 else None
