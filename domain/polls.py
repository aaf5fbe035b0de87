"""Rules of a poll: its states and limits, who may change a vote, and when it opens and closes."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.messages import Media
from domain.notices import Sender
from domain.refusals import Refusal

QUESTION_LIMIT = 200
OPTION_LIMIT = 60
FEWEST_OPTIONS, MOST_OPTIONS = 2, 10
CHANGE_LIMIT = 1000
SUGGESTION_LIMIT = 500
"""Characters, so that question, options and result each fit into one message."""
SHORTEST = timedelta(minutes=10)
LONGEST = timedelta(days=60)
SMALLEST = 5
"""Nothing is told about fewer people than these (DOMAIN.md 4.5)."""

CALL = "pv"
"""Prefix of the taps under a poll's call, as `services.poll_content` writes and `handlers.polls` reads it."""


class PollState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSING = "closing"  # takes no more votes; what was cast is being counted
    CLOSED = "closed"  # counted; its result is not yet published
    PUBLISHED = "published"
    CANCELLED = "cancelled"


ENDED = (PollState.CLOSED, PollState.PUBLISHED)


class PollNotDraft(Refusal):
    """The poll has left the draft, so it cannot be changed any more."""


class PollMovedOn(Refusal):
    """The poll is no longer in the state in which this can be done."""


class PollClosed(Refusal):
    """The poll takes no more votes."""


class PollNotOpenYet(Refusal):
    """The poll has not opened."""


class PollForNobody(Refusal):
    """Nobody matches the audience, or none is chosen."""


class PollTooSmall(Refusal):
    """Among fewer than five people nobody is anonymous."""


class PollNeedsQuestion(Refusal):
    """A poll asks something."""


class PollNeedsOptions(Refusal):
    """A poll has two to ten options."""


class PollTextTooLong(Refusal):
    """The question, or what changed, is longer than fits."""


class OptionTooLong(Refusal):
    """An option is longer than a button shows."""


class OptionTwice(Refusal):
    """Two options read the same."""


class LiveNeedsNames(Refusal):
    """An anonymous poll shows its result only after closing."""


class ClosesTooSoon(Refusal):
    """A poll is open for ten minutes at least."""


class ClosesTooLate(Refusal):
    """A poll is open for sixty days at most."""


class NoClosingTime(Refusal):
    """A poll says when it closes."""


class VoteIsFinal(Refusal):
    """An anonymous vote was cast, and nobody can find it again to change it."""


class NothingChosen(Refusal):
    """A vote names at least one option."""


class OneOnly(Refusal):
    """This poll takes one option."""


class NoSuchOption(Refusal):
    """The poll has no such option."""


class NoSuggestions(Refusal):
    """This poll takes no suggestions."""


class SuggestionEmpty(Refusal):
    """A suggestion says something."""


class PollSuggestionTooLong(Refusal):
    """The suggestion is longer than fits."""


class ResultOwed(Refusal):
    """Before a new poll, an old one of the same author publishes its result (`id`)."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer; `number` counts from 0."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Poll:
    """A poll as services and chat see it."""

    id: int
    sender: Sender
    state: PollState
    question: str
    options: tuple[Option, ...]
    multiple: bool
    suggestions: bool
    anonymous: bool
    live: bool
    audience_id: int | None
    created_at: datetime
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    what_changed: str = ""
    published_at: datetime | None = None
    chart: Media | None = None


def tidy(text: str) -> str:
    """Return a line of text without odd spaces, so that what reads the same is the same."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def check_question(text: str) -> str:
    question = tidy(text)
    if not question:
        raise PollNeedsQuestion
    if len(question) > QUESTION_LIMIT:
        raise PollTextTooLong(most=QUESTION_LIMIT, over=len(question) - QUESTION_LIMIT)
    return question


def check_options(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the options as they are kept; empty ones are left out."""
    options = tuple(option for option in map(tidy, texts) if option)
    if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        raise PollNeedsOptions(most=MOST_OPTIONS, n=len(options))
    for option in options:
        if len(option) > OPTION_LIMIT:
            raise OptionTooLong(most=OPTION_LIMIT, text=option[:20])
    if len({option.casefold() for option in options}) < len(options):
        raise OptionTwice
    return options


def check_change(text: str) -> str:
    """Return what changed after a poll, as it is published."""
    change = text.strip()
    if not change:
        raise PollNeedsQuestion
    if len(change) > CHANGE_LIMIT:
        raise PollTextTooLong(most=CHANGE_LIMIT, over=len(change) - CHANGE_LIMIT)
    return change


def check_suggestion(text: str) -> str:
    suggestion = unicodedata.normalize("NFC", text).strip()
    if not suggestion:
        raise SuggestionEmpty
    if len(suggestion) > SUGGESTION_LIMIT:
        raise PollSuggestionTooLong(most=SUGGESTION_LIMIT, over=len(suggestion) - SUGGESTION_LIMIT)
    return suggestion


def check_ready(poll: Poll, now: datetime) -> None:
    """Refuse to open a poll that lacks something."""
    check_options(option.text for option in poll.options)
    if poll.live and poll.anonymous:
        raise LiveNeedsNames
    if poll.closes_at is None:
        raise NoClosingTime
    opens = max(poll.opens_at or now, now)
    if poll.closes_at < opens + SHORTEST:
        raise ClosesTooSoon(minutes=int(SHORTEST.total_seconds()) // 60)
    if poll.closes_at > opens + LONGEST:
        raise ClosesTooLate(days=LONGEST.days)
    if poll.audience_id is None:
        raise PollForNobody


def check_open(poll: Poll, now: datetime) -> None:
    """Refuse what only an open poll takes; the announced minute counts, whenever the clock comes by."""
    if poll.state in {PollState.DRAFT, PollState.SCHEDULED}:
        raise PollNotOpenYet
    if poll.state is not PollState.OPEN or poll.closes_at is None or now >= poll.closes_at:
        raise PollClosed


def check_choice(poll: Poll, chosen: Iterable[int]) -> frozenset[int]:
    """Return a choice that this poll takes."""
    choice = frozenset(chosen)
    if not choice:
        raise NothingChosen
    if not poll.multiple and len(choice) > 1:
        raise OneOnly
    if not choice <= {option.number for option in poll.options}:
        raise NoSuchOption
    return choice


def mask_of(chosen: Iterable[int]) -> int:
    """Write a choice as a bit mask, as buttons and rows carry it."""
    return sum(1 << number for number in set(chosen))


def chosen_in(mask: int) -> frozenset[int]:
    """Read a bit mask; a forged one gives numbers that `check_choice` refuses."""
    if mask <= 0:
        return frozenset()
    return frozenset(number for number in range(mask.bit_length()) if mask >> number & 1)


def options_of(texts: Sequence[str]) -> tuple[Option, ...]:
    return tuple(Option(number, text) for number, text in enumerate(texts))
