"""How polls read: in lists, on a sheet, and as a result with its bars."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from aiogram.utils.formatting import Bold, Text

from domain.poll_counting import Count
from domain.polls import Poll, PollState
from handlers.notice_words import fit
from handlers.times import moment, short_day
from locales import Words
from services.poll_booth import Card
from services.poll_content import manner
from services.senders import author_of

LINE = 18
"""Columns of a question on a button, beside a mark and a day; a Chinese character takes two."""
OPTION = 34
"""Columns of an option on a button of its own."""
BAR = 10
_MARKS = {
    PollState.DRAFT: "📝",
    PollState.SCHEDULED: "⏰",
    PollState.OPEN: "▶",
    PollState.CLOSING: "⏳",
    PollState.CLOSED: "❗",
    PollState.PUBLISHED: "✓",
    PollState.CANCELLED: "✕",
}


def poll_moment(words: Words, poll: Poll, moment_name: str = "closes_at") -> str:
    """Write a time of a poll as it is where the poll comes from."""
    at = getattr(poll, moment_name)
    return "" if at is None else moment(words, at, ZoneInfo(poll.sender.zone))


def desk_line(words: Words, poll: Poll) -> str:
    """Write ``▶ 3月10日 食堂几点开门？``."""
    day = poll.published_at or poll.closed_at or poll.closes_at
    when = "" if day is None else f"{short_day(words, day, ZoneInfo(poll.sender.zone))} "
    return f"{_MARKS[poll.state]} {when}{fit(poll.question, LINE)}"


def card_line(words: Words, card: Card) -> str:
    """Write ``● 3月10日 食堂几点开门？``; the mark says what is still to be answered."""
    poll = card.poll
    zone = ZoneInfo(poll.sender.zone)
    if poll.state is PollState.OPEN and poll.closes_at is not None:
        mark = "✓" if card.voted else "●"
        return f"{mark} {short_day(words, poll.closes_at, zone)} {fit(poll.question, LINE)}"
    when = short_day(words, poll.closed_at or poll.created_at, zone)
    return f"{when} {fit(poll.question, LINE)}"


def asked(words: Words, poll: Poll) -> Text:
    """Show what a poll asks, from whom, and how it is answered."""
    options = "\n".join(f"{option.number + 1}. {option.text}" for option in poll.options)
    return Text(Bold(poll.question), f"\n\n{options}\n\n" if options else "\n\n", terms(words, poll))


def terms(words: Words, poll: Poll) -> str:
    return f"{manner(poll, words)}\n{words('poll_messages.opinion_only')}"


def sender_line(words: Words, poll: Poll) -> str:
    return words(
        "notices.footer",
        organisation=poll.sender.organisation(words.language),
        author=author_of(words, poll.sender.author),
    )


def chosen_words(poll: Poll, chosen: Iterable[int]) -> str:
    """Name options, a line each."""
    numbers = set(chosen)
    return "\n".join(
        f"{option.number + 1}. {option.text}" for option in poll.options if option.number in numbers
    )


def bars(words: Words, poll: Poll, count: Count, *, brief: bool = False) -> str:
    """Draw a count as lines of ``▇``; `brief` leaves the options' words out, which stand above already."""
    lines = []
    for option in poll.options:
        votes, percent = count.options[option.number], count.percent(option.number)
        bar = "▇" * (max(1, (BAR * percent + 50) // 100) if votes else 0)
        figures = words("polls.result.figures", votes=votes, percent=percent)
        drawn = f"{bar} {figures}" if bar else figures
        head = f"{option.number + 1}." if brief else f"{option.number + 1}. {option.text}\n"
        lines.append(f"{head} {drawn}" if brief else f"{head}{drawn}")
    return "\n".join(lines)
