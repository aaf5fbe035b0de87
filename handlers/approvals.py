"""Approvals: chats that opened an invitation and wait for their secretary's word."""

from typing import Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from domain.accounts import LinkState
from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, Row, button, keyboard, pager, screen, show
from handlers.names import account_name
from handlers.taps import command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


class Waiting(CallbackData, prefix="wait"):
    """A step of approving: a page, one link, the question before a decision, the decision."""

    step: Literal["page", "open", "ask_yes", "ask_no", "yes", "no"]
    number: Number  # the page, or the link's id


@command("approvals")
@members_only
async def on_approvals(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _show_page(event, toolbox, actor, words, 0)


@tap(Waiting)
@members_only
async def on_waiting(
    query: CallbackQuery, tap: Waiting, toolbox: Toolbox, actor: Actor, words: Words
) -> None:
    match tap.step:
        case "page":
            await _show_page(query, toolbox, actor, words, tap.number)
        case "yes":
            link = await toolbox.approvals.approve(actor, tap.number)
            await _done(query, words, "approvals.approved", link.member_name)
        case "no":
            link = await toolbox.approvals.refuse(actor, tap.number)
            await _done(query, words, "approvals.refused", link.member_name)
        case "ask_yes" | "ask_no":
            await _ask(query, toolbox, actor, words, tap)
        case "open":
            await _open(query, toolbox, actor, words, tap.number)


async def _show_page(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int) -> None:
    links, more = await toolbox.approvals.waiting(actor, page)
    if not links:
        text = screen(words("approvals.title"), words("approvals.none"))
        await show(event, text, keyboard(words, [button(words("menu.button.invite"), Go(to="invite"))]))
        return
    rows: list[Row] = [
        [button(f"{one.member_name} · {one.home_name}", Waiting(step="open", number=one.link_id))]
        for one in links
    ]
    turns = [Waiting(step="page", number=max(page - 1, 0)), Waiting(step="page", number=page + 1)]
    rows.append(pager(words, page, more=more, to=turns))
    await show(event, screen(words("approvals.title"), words("approvals.choose")), keyboard(words, *rows))


async def _open(event: Event, toolbox: Toolbox, actor: Actor, words: Words, link_id: int) -> None:
    link = await toolbox.approvals.for_actor(actor, link_id)
    if link.state is not LinkState.PENDING:
        rows = [[button(words("approvals.button.more"), Waiting(step="page", number=0))]]
        text = screen(
            words("approvals.decided.title"), words("approvals.decided.what", name=link.member_name)
        )
        await show(event, text, keyboard(words, *rows))
        return
    text = screen(
        words("approvals.one.title"),
        words("approvals.one.who", name=link.member_name, organisation=link.home_name),
        words(
            "approvals.one.how",
            form=words(f"invite.form.{link.form}"),
            account=account_name(words, link.account_name),
            when=moment(words, link.since),
        ),
        words("approvals.one.check"),
    )
    rows = [
        [
            button(words("approvals.button.yes"), Waiting(step="ask_yes", number=link_id)),
            button(words("approvals.button.no"), Waiting(step="ask_no", number=link_id)),
        ]
    ]
    await show(event, text, keyboard(words, *rows, back=Waiting(step="page", number=0)))


async def _ask(event: Event, toolbox: Toolbox, actor: Actor, words: Words, asked: Waiting) -> None:
    link = await toolbox.approvals.decidable(actor, asked.number)
    answer = asked.step.removeprefix("ask_")
    text = screen(
        words(f"approvals.ask_{answer}.title"),
        words(f"approvals.ask_{answer}.what", name=link.member_name, organisation=link.home_name),
    )
    rows = [[button(words(f"approvals.ask_{answer}.sure"), Waiting(step=answer, number=asked.number))]]
    await show(event, text, keyboard(words, *rows, back=Waiting(step="open", number=asked.number)))


async def _done(event: Event, words: Words, key: str, name: str) -> None:
    rows = [[button(words("approvals.button.more"), Waiting(step="page", number=0))]]
    await show(event, screen(words(f"{key}.title"), words(f"{key}.what", name=name)), keyboard(words, *rows))
