"""What goes out for a poll: its call with the buttons to vote, its result with the picture, and the word to its author.

The choice being made lives in the buttons' data alone, as a bit mask: no row and no log holds it before it is cast.
"""

from zoneinfo import ZoneInfo

from domain.messages import Button, Content
from domain.poll_counting import Count
from domain.polls import CALL, Poll, mask_of
from domain.richtext import RichText, join, styled
from locales import Words, speak
from services.senders import author_of
from services.times import moment

NO_POLL = 0
"""The number that the buttons of a test carry."""
CAPTION_QUESTION, CAPTION_OPTION, CAPTION_CHANGE = 120, 24, 300
"""Characters, so that a result with ten options fits below a picture (1024)."""
RESULT = "pr"
"""Prefix of the tap below a result: ``pr:<poll>``."""
DESK = "pd"
"""Prefix of the tap that leads an author to their poll: ``pd:<poll>``."""


def vote_data(poll_id: int, mask: int, step: str) -> str:
    """Return the data of a button below a call: `step` is pick (this choice), cast (this choice is it) or why."""
    return f"{CALL}:{poll_id}:{mask}:{step}"


def call(poll: Poll, language: str, number: int | None = None) -> Content:
    """Make the message that asks; its buttons carry `number` (the poll's, or none in a test)."""
    words = speak(language)
    poll_id = poll.id if number is None else number
    text = join(
        styled(words("poll_messages.call.title"), "bold"),
        "\n\n",
        styled(poll.question, "bold"),
        "\n\n",
        "\n".join(f"{option.number + 1}. {option.text}" for option in poll.options),
        f"\n\n{manner(poll, words)}\n{words('poll_messages.opinion_only')}\n\n",
        styled(
            words(
                "notices.footer",
                organisation=poll.sender.organisation(language),
                author=author_of(words, poll.sender.author),
            ),
            "italic",
        ),
    )
    rows = [
        (Button(f"{option.number + 1}. {option.text}", vote_data(poll_id, mask_of([option.number]), "pick")),)
        for option in poll.options
    ]
    rows.append((Button(words("notices.button.why"), vote_data(poll_id, 0, "why")),))
    return Content(text.text, text.entities, keyboard=tuple(rows))


def trial(poll: Poll, language: str) -> Content:
    """Make the call as its author tries it: marked so, with buttons that only say so."""
    whole = call(poll, language, NO_POLL)
    marked = join(styled(f"{speak(language)('notices.test.mark')}\n", "bold"), _rich(whole))
    return Content(marked.text, marked.entities, keyboard=whole.keyboard)


def manner(poll: Poll, words: Words) -> str:
    """Say in one line how a poll is answered: anonymously or by name, one option or several, until when."""
    parts = [
        words("poll_messages.anonymous" if poll.anonymous else "poll_messages.named"),
        words("poll_messages.multiple" if poll.multiple else "poll_messages.single"),
    ]
    if poll.closes_at is not None:
        until = moment(words, poll.closes_at, ZoneInfo(poll.sender.zone))
        parts.append(words("poll_messages.until", when=until))
    return words("poll_messages.manner", parts=words("poll_messages.separator").join(parts))


def result(poll: Poll, count: Count | None, asked: int, language: str) -> Content:
    """Make the result as everybody who was asked gets it: short, below the picture; the button shows all of it."""
    words = speak(language)
    text = join(
        styled(words("poll_messages.result.title"), "bold"),
        "\n",
        styled(_cut(poll.question, CAPTION_QUESTION), "bold"),
        f"\n\n{counted(poll, count, asked, words, CAPTION_OPTION)}\n\n",
        styled(words("poll_messages.changed"), "bold"),
        f"\n{_cut(poll.what_changed, CAPTION_CHANGE)}",
    )
    button = Button(words("poll_messages.result.button"), f"{RESULT}:{poll.id}")
    return Content(text.text, text.entities, poll.chart, ((button,),))


def counted(poll: Poll, count: Count | None, asked: int, words: Words, most: int | None = None) -> str:
    """List the options with their votes; fewer than five in all are not told."""
    if count is None:
        return words("poll_messages.result.hidden")
    lines = [words("poll_messages.result.turnout", voted=count.voted, asked=asked)]
    lines += [
        words(
            "poll_messages.result.line",
            n=option.number + 1,
            text=_cut(option.text, most or len(option.text)),
            votes=count.options[option.number],
            percent=count.percent(option.number),
        )
        for option in poll.options
    ]
    return "\n".join(lines)


def closed(poll: Poll, language: str) -> Content:
    """Make the word to the author: the poll is over, and its result waits for what changed."""
    words = speak(language)
    text = words("poll_messages.closed", question=poll.question)
    return Content(text, keyboard=((Button(words("poll_messages.closed.button"), f"{DESK}:{poll.id}"),),))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _rich(content: Content) -> RichText:
    return RichText(content.text, content.entities)
