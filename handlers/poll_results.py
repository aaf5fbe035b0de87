"""Results of polls as members see them: everybody's, those of their own organisations, and what changed."""

from collections.abc import Sequence

from aiogram.types import CallbackQuery, InlineKeyboardMarkup
from aiogram.utils.formatting import Bold, Text

from domain.notices import RESERVED, TEXT_LIMIT
from domain.permissions import Actor
from domain.polls import Poll, PollState
from domain.refusals import NotFound
from domain.richtext import RichText, shorten
from handlers.keyboards import Row, button, keyboard, pager, screen, show
from handlers.names import name_of
from handlers.notice_words import fit
from handlers.poll_taps import Call, Replies, Shown, Tab, is_pushed
from handlers.poll_words import bars, poll_moment
from handlers.taps import tap
from handlers.welcome import members_only
from locales import Words
from services.poll_booth import AreaResult
from services.suggestions import PublicAnswer
from services.toolbox import Toolbox

REPLIES, TITLE, REPLY = 3, 80, 900
"""So many answers to suggestions on one screen, with so many columns of a title and UTF-16 units of an answer."""


@tap(Shown)
@members_only
async def on_result(query: CallbackQuery, tap: Shown, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Show a result with one's own areas; a live one leads back to the poll."""
    booth = toolbox.polls.booth
    areas = await booth.results(actor, tap.id)
    poll = (await booth.sheet(actor, tap.id)).poll
    is_open = poll.state is PollState.OPEN
    text = result_screen(words, poll, areas)
    if not is_open:
        row = await replies_row(toolbox, words, poll)
        await show(query, text, keyboard(words, row, back=Tab(of="past")))
        return
    rows = [[button(words("polls.button.refresh"), Shown(id=tap.id))]]
    back = Call(id=tap.id)
    if is_pushed(query):
        rows.append([button(words("menu.back"), back)])
        await show(query, text, InlineKeyboardMarkup(inline_keyboard=rows))
    else:
        await show(query, text, keyboard(words, *rows, back=back))


@tap(Replies)
@members_only
async def on_replies(
    query: CallbackQuery, tap: Replies, toolbox: Toolbox, actor: Actor, words: Words
) -> None:
    """Show what was answered to the suggestions of a published poll, a few on a screen."""
    poll = (await toolbox.polls.booth.sheet(actor, tap.id)).poll
    if poll.state is not PollState.PUBLISHED:
        raise NotFound
    answers = await toolbox.suggestions.answers_for_poll(tap.id)
    page = max(tap.page, 0)
    shown = answers[page * REPLIES : (page + 1) * REPLIES]
    turns = [Replies(id=tap.id, page=page + turn) for turn in (-1, 1)]
    row = pager(words, page, more=len(answers) > (page + 1) * REPLIES, to=turns)
    text = screen(words("polls.replies.title"), poll.question, *(_reply(words, one) for one in shown))
    await show(query, text, keyboard(words, row, back=Shown(id=tap.id)))


def _reply(words: Words, answer: PublicAnswer) -> Text:
    title = fit(answer.title, TITLE)
    head = title if answer.number is None else words("polls.replies.group", title=title, n=answer.number)
    return Text(Bold(head), "\n", shorten(RichText(answer.answer), REPLY).text)


async def replies_row(toolbox: Toolbox, words: Words, poll: Poll) -> Row:
    """Return the button to the answers, where a poll's suggestions have any."""
    answers = await toolbox.suggestions.answers_for_poll(poll.id) if poll.suggestions else ()
    if not answers:
        return []
    return [button(words("polls.replies.button", n=len(answers)), Replies(id=poll.id))]


def result_screen(words: Words, poll: Poll, areas: Sequence[AreaResult]) -> Text:
    """Lay a result out: everybody's with the options in words, each smaller area by their numbers."""
    live = poll.state is PollState.OPEN
    title = words("polls.result.live" if live else "polls.result.title")
    told: list[str | Text] = [
        Bold(poll.question),
        *(_area(words, poll, area) for area in _different(areas)),
        words("polls.result.several") if poll.multiple else "",
    ]
    foot: list[str | Text] = [
        words("polls.result.live_until", when=poll_moment(words, poll)) if live else "",
        words("poll_messages.opinion_only"),
    ]
    room = TEXT_LIMIT - len(screen(title, *told, *foot)) - RESERVED
    return screen(title, *told, changed(words, poll, room), *foot)


def changed(words: Words, poll: Poll, room: int = TEXT_LIMIT) -> Text | str:
    """Show what changed after a poll, as far as there is room: UTF-16 units, as a messenger counts."""
    if not poll.what_changed:
        return ""
    return Text(Bold(words("poll_messages.changed")), "\n", shorten(RichText(poll.what_changed), room).text)


def _different(areas: Sequence[AreaResult]) -> list[AreaResult]:
    """Leave out areas to which everybody who took part belongs: they would say the same again."""
    everybody, *others = areas
    return [everybody, *(area for area in others if area.count is None or area.count != everybody.count)]


def _area(words: Words, poll: Poll, area: AreaResult) -> Text:
    overall = area.organisation is None
    name = words("polls.result.everybody") if area.organisation is None else name_of(words, area.organisation)
    if area.count is None:
        return Text(Bold(name), f"\n{words('polls.result.hidden')}")
    head = words("polls.result.voted", n=area.count.voted)
    return Text(Bold(name), f"{head}\n{bars(words, poll, area.count, brief=not overall)}")
