"""A member's polls: what is open, one sheet to vote on, what was answered, and past results.

The choice being made lives in the callback data of the message's own buttons alone: no dialogue state and no log
holds an anonymous vote, and whoever was interrupted goes on where they were.
"""

from collections.abc import Sequence

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

from domain.clock import Clock
from domain.permissions import Actor
from domain.polls import (
    SUGGESTION_LIMIT,
    Poll,
    PollState,
    PollSuggestionTooLong,
    SuggestionEmpty,
    VoteIsFinal,
    check_choice,
    check_open,
    chosen_in,
    mask_of,
)
from domain.refusals import NotFound, Refusal
from handlers.keyboards import Event, Go, Row, button, keyboard, pager, screen, send, show
from handlers.notice_words import fit, scope_words
from handlers.poll_results import replies_row, result_screen
from handlers.poll_taps import Answering, Call, Shown, Tab, is_pushed
from handlers.poll_words import OPTION, asked, card_line, chosen_words, poll_moment, sender_line
from handlers.taps import StaleTap, command, tap
from handlers.welcome import members_only
from locales import Words
from services.poll_booth import Card, Sheet
from services.poll_content import NO_POLL
from services.senders import author_of
from services.toolbox import Toolbox
from services.walls import PAGE

router = Router(name="polls")
TABS = ("open", "mine", "past")
STEPS = {"see", "pick", "sure", "cast", "change", "suggest", "why"}


@command("polls")
@members_only
async def on_polls(event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Show what is open, what still waits for an answer first."""
    await state.clear()
    await _show_list(event, toolbox, actor, words, Tab())


@tap(Tab)
@members_only
async def on_tab(query: CallbackQuery, tap: Tab, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _show_list(query, toolbox, actor, words, tap)


async def _show_list(event: Event, toolbox: Toolbox, actor: Actor, words: Words, tab: Tab) -> None:
    page = max(tab.page, 0)
    cards, more = await _cards(toolbox, actor, tab.of, page)
    rows: list[Row] = [[_tab(words, name, tab.of) for name in TABS]]
    rows.extend([button(card_line(words, card), _opens(card, tab.of))] for card in cards)
    turns = [Tab(of=tab.of, page=page - 1), Tab(of=tab.of, page=page + 1)]
    rows.append(pager(words, page, more=more, to=turns))
    key = "hint" if cards else "empty"
    text = screen(words("polls.list.title"), words(f"polls.list.{key}.{tab.of}"))
    await show(event, text, keyboard(words, *rows))


async def _cards(toolbox: Toolbox, actor: Actor, of: str, page: int) -> tuple[Sequence[Card], bool]:
    booth = toolbox.polls.booth
    if of == "open":
        found = await booth.open_for(actor)
        return found[page * PAGE : (page + 1) * PAGE], len(found) > (page + 1) * PAGE
    if of == "mine":
        return await booth.answered(actor, page)
    if of == "past":
        return await booth.past(actor, page)
    raise StaleTap


def _tab(words: Words, name: str, current: str) -> InlineKeyboardButton:
    label = words(f"polls.tab.{name}")
    return button(f"▸ {label}" if name == current else label, Tab(of=name))


def _opens(card: Card, of: str) -> Call | Shown:
    if of != "open" and card.poll.state is PollState.PUBLISHED:
        return Shown(id=card.poll.id)
    return Call(id=card.poll.id)


@tap(Call)
@members_only
async def on_call(
    query: CallbackQuery,
    tap: Call,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
) -> None:
    """Take a step on a call; whatever became impossible meanwhile is said, and the present state shown."""
    if tap.step not in STEPS:
        raise StaleTap
    if tap.id == NO_POLL:
        await query.answer(words("notices.test.button"))
        return
    if tap.step == "why":
        await _why(query, toolbox, actor, words, tap.id)
    elif tap.step == "suggest":
        await _ask_suggestion(query, toolbox, actor, words, state, clock, tap.id)
    else:
        try:
            sheet, mask, step = await _step(toolbox, actor, clock, tap)
        except NotFound:
            raise
        except Refusal as refusal:
            await query.answer(words(refusal.key, **refusal.fields), show_alert=True)
            sheet, mask, step = await toolbox.polls.booth.sheet(actor, tap.id), 0, "see"
        await _show_sheet(query, toolbox, actor, words, clock, sheet, mask, step)


async def _step(toolbox: Toolbox, actor: Actor, clock: Clock, tap: Call) -> tuple[Sheet, int, str]:
    """Return the sheet after a tap, the choice so far, and what to show of it: see, pick or sure."""
    booth = toolbox.polls.booth
    if tap.step == "pick" and tap.mask and booth.takes_one_press(tap.id):
        return await booth.vote(actor, tap.id, chosen_in(tap.mask)), 0, "voted"
    sheet = await booth.sheet(actor, tap.id)
    if tap.step == "see":
        return sheet, 0, "see"
    check_open(sheet.poll, clock())
    if sheet.voted and sheet.poll.anonymous:
        raise VoteIsFinal
    if tap.step == "change":
        return sheet, mask_of(sheet.chosen), "pick"
    if tap.step == "pick" and (sheet.poll.multiple or not tap.mask):
        return sheet, tap.mask, "pick"
    choice = check_choice(sheet.poll, chosen_in(tap.mask))
    if sheet.poll.anonymous and tap.step != "cast":
        return sheet, tap.mask, "sure"
    return await booth.vote(actor, tap.id, choice), 0, "voted"


async def _show_sheet(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    clock: Clock,
    sheet: Sheet,
    mask: int,
    step: str,
) -> None:
    """Show a poll as it stands for this member, in the message that was pressed."""
    poll = sheet.poll
    pushed = is_pushed(query)
    if poll.state is PollState.PUBLISHED:
        text = result_screen(words, poll, await toolbox.polls.booth.results(actor, poll.id))
        rows = (
            _foot(words, poll) if pushed else [await replies_row(toolbox, words, poll), *_foot(words, poll)]
        )
    elif not takes_votes(poll, clock):
        key = poll.state if poll.state is PollState.CANCELLED else PollState.CLOSED
        text = screen(
            words("polls.sheet.title"), asked(words, poll), _mine(words, sheet), words(f"polls.over.{key}")
        )
        rows = _foot(words, poll)
    elif step == "sure":
        text = screen(
            words("polls.sure.title"),
            poll.question,
            words("polls.sure.chosen", options=chosen_words(poll, chosen_in(mask))),
            words("polls.sure.what"),
        )
        rows = [
            [button(words("polls.button.cast"), Call(id=poll.id, mask=mask, step="cast"))],
            [
                button(
                    words("polls.button.again"),
                    Call(id=poll.id, mask=mask if poll.multiple else 0, step="pick"),
                )
            ],
        ]
    elif step == "pick" or not sheet.voted:
        text = screen(
            words("polls.sheet.title"), asked(words, poll), words(_hint(poll)), sender_line(words, poll)
        )
        rows = [*_ballot(words, sheet, mask), *_besides(words, sheet), *_foot(words, poll)]
    else:
        text = screen(
            words("polls.voted.title" if step == "voted" else "polls.sheet.title"),
            asked(words, poll),
            _mine(words, sheet),
            words("polls.voted.next", when=poll_moment(words, poll)),
        )
        change = (
            [] if poll.anonymous else [button(words("polls.button.change"), Call(id=poll.id, step="change"))]
        )
        rows = [change, *_besides(words, sheet), *_foot(words, poll)]
    await show(query, text, _markup(words, rows, poll, pushed=pushed))


def _hint(poll: Poll) -> str:
    return "polls.hint.multiple" if poll.multiple else "polls.hint.single"


def _mine(words: Words, sheet: Sheet) -> str:
    """Say whether the member took part, and what they chose where it is kept by name."""
    if not sheet.voted:
        return ""
    if sheet.poll.anonymous:
        return words("polls.voted.anonymous")
    key = "polls.voted.named" if sheet.poll.state is PollState.OPEN else "polls.voted.kept"
    return words(key, options=chosen_words(sheet.poll, sheet.chosen))


def _ballot(words: Words, sheet: Sheet, mask: int) -> list[Row]:
    """Return the buttons to choose with: each carries the choice as it would be after the press."""
    poll, kept = sheet.poll, mask or mask_of(sheet.chosen)
    rows: list[Row] = []
    for option in poll.options:
        bit = 1 << option.number
        label = fit(f"{option.number + 1}. {option.text}", OPTION)
        if poll.multiple:
            mark = "☑" if mask & bit else "☐"
            rows.append([button(f"{mark} {label}", Call(id=poll.id, mask=mask ^ bit, step="pick"))])
        else:
            mark = "● " if kept & bit else ""
            rows.append([button(f"{mark}{label}", Call(id=poll.id, mask=bit, step="pick"))])
    if poll.multiple:
        number = mask.bit_count()
        rows.append(
            [button(words("polls.button.submit", n=number), Call(id=poll.id, mask=mask, step="sure"))]
        )
    return rows


def _besides(words: Words, sheet: Sheet) -> list[Row]:
    """Return what one may do besides voting: suggest, and look at a result that is shown live."""
    poll = sheet.poll
    rows: list[Row] = []
    if poll.suggestions:
        key = "polls.button.suggest" if sheet.suggestion is None else "polls.button.suggest_again"
        rows.append([button(words(key), Call(id=poll.id, step="suggest"))])
    if poll.live:
        rows.append([button(words("polls.button.live"), Shown(id=poll.id))])
    return rows


def _foot(words: Words, poll: Poll) -> list[Row]:
    return [[button(words("notices.button.why"), Call(id=poll.id, step="why"))]]


def _markup(words: Words, rows: list[Row], poll: Poll, *, pushed: bool) -> InlineKeyboardMarkup:
    """Put Back and Home below a screen of ours; a pushed call keeps only its own buttons."""
    if pushed:
        return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])
    of = {PollState.OPEN: "open", PollState.PUBLISHED: "past"}.get(poll.state, "mine")
    return keyboard(words, *rows, back=Tab(of=of))


def takes_votes(poll: Poll, clock: Clock) -> bool:
    try:
        check_open(poll, clock())
    except Refusal:
        return False
    return True


async def _why(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, poll_id: int) -> None:
    """Say in plain words why this poll came; below the call, which stays as it is."""
    poll = (await toolbox.polls.booth.sheet(actor, poll_id)).poll
    part = None if poll.audience_id is None else await toolbox.audiences.part_of(actor, poll.audience_id)
    text = screen(
        words("polls.why.title"),
        words(
            "polls.why.sender",
            organisation=poll.sender.organisation(words.language),
            author=author_of(words, poll.sender.author),
        ),
        words("polls.why.scope", scope=scope_words(words, part)) if part else "",
        words("polls.why.free"),
        words("notices.why.stop"),
    )
    markup = keyboard(words, [button(words("menu.button.polls"), Go(to="polls"))], back=Call(id=poll_id))
    if is_pushed(query):
        await query.answer()
        await send(query, text, markup)
    else:
        await show(query, text, markup)


async def _ask_suggestion(
    query: CallbackQuery,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
    poll_id: int,
) -> None:
    """Await a suggestion; a pushed call stays as it is, and the question comes below it."""
    sheet = await toolbox.polls.booth.sheet(actor, poll_id)
    poll = sheet.poll
    if not takes_votes(poll, clock) or not poll.suggestions:
        key = "refusal.no_suggestions" if takes_votes(poll, clock) else "refusal.poll_closed"
        await query.answer(words(key), show_alert=True)
        await _show_sheet(query, toolbox, actor, words, clock, sheet, 0, "see")
        return
    await state.set_state(Answering.suggestion)
    await state.set_data({"id": poll_id})
    text = screen(
        words("polls.suggest.title"),
        poll.question,
        words("polls.suggest.now", text=sheet.suggestion) if sheet.suggestion else "",
        words("polls.suggest.ask", most=SUGGESTION_LIMIT),
        words("polls.suggest.anonymous" if poll.anonymous else "polls.suggest.named"),
    )
    markup = keyboard(words, back=Call(id=poll_id))
    if is_pushed(query):
        await query.answer()
        await send(query, text, markup)
    else:
        await show(query, text, markup)


@router.message(Answering.suggestion)
@members_only
async def on_suggestion(
    message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    """Hand a suggestion in; what is too long may be sent again."""
    poll_id = (await state.get_data()).get("id", 0)
    try:
        sheet = await toolbox.polls.booth.suggest(actor, poll_id, message.text or "")
    except (SuggestionEmpty, PollSuggestionTooLong):
        raise
    except Refusal:
        await state.clear()
        raise
    text = screen(
        words("polls.suggested.title"),
        sheet.poll.question,
        words("polls.suggested.what", when=poll_moment(words, sheet.poll)),
    )
    await show(message, text, keyboard(words, back=Call(id=poll_id)))
    await state.clear()
