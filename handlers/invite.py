"""Inviting: find a member of one's own subtree, then a link with its QR picture, or a paper to print."""

from typing import Literal

from aiogram import Bot, Router
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import BufferedInputFile, CallbackQuery, Message

from domain.accounts import Account
from domain.invitations import InvitationForm
from domain.permissions import Actor
from handlers import paper
from handlers.keyboards import (
    LONGEST_NAME,
    Event,
    Go,
    Number,
    Row,
    Turn,
    button,
    keyboard,
    pager,
    screen,
    show,
)
from handlers.me import describe
from handlers.taps import command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.invitations import Candidate, Issued
from services.toolbox import Toolbox

router = Router(name="invite")


class Inviting(StatesGroup):
    """The dialogue of inviting: a name is awaited."""

    name = State()


class Found(CallbackData, prefix="inv"):
    """A step of inviting: a page of the search, a member chosen, or a form chosen for them."""

    step: Literal["page", "choose", "link", "paper"]
    number: Number  # the page, or the member's id


class Expired(CallbackData, prefix="iexp"):
    """A page of the invitations that ran out."""

    page: Turn = 0


@command("invite")
@members_only
async def on_invite(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, argument: str
) -> None:
    """Ask for a name; ``/invite 王芳`` searches at once."""
    toolbox.invitations.require_inviter(actor)
    if argument:
        await state.set_state(Inviting.name)
        await _search(event, toolbox, actor, words, state, argument)
        return
    await _ask(event, toolbox, actor, words, state)


@router.message(Inviting.name)
@members_only
async def on_name(message: Message, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    """Search for what was typed."""
    await _search(message, toolbox, actor, words, state, message.text or "")


@tap(Found)
@members_only
async def on_found(
    query: CallbackQuery,
    tap: Found,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    bot: Bot,
    account: Account,
) -> None:
    if tap.step == "page":
        name = (await state.get_data()).get("name", "")
        if name:
            await _show_page(query, toolbox, actor, words, name, tap.number)
        else:
            await _ask(query, toolbox, actor, words, state)
    elif tap.step == "choose":
        await _show_member(query, toolbox, actor, words, tap.number)
    else:
        issued = await toolbox.invitations.create(actor, tap.number, InvitationForm(tap.step))
        await state.clear()
        await _hand_over(query, words, issued, await _link(bot, account, issued.code))


async def _ask(event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext) -> None:
    await state.set_state(Inviting.name)
    expired = await toolbox.expiry.ran_out(actor)
    rows = [[button(words("expired.button"), Expired())]] if expired.lines else []
    await show(event, screen(words("invite.title"), words("invite.ask_name")), keyboard(words, *rows))


async def _search(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, name: str
) -> None:
    name = name.strip()[:LONGEST_NAME]
    await state.update_data(name=name)
    await _show_page(event, toolbox, actor, words, name, 0)


async def _show_page(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, name: str, page: int
) -> None:
    found, more = await toolbox.invitations.search(actor, name, page)
    if not found:
        text = screen(words("invite.title"), words("invite.nobody", name=name), words("invite.ask_name"))
        await show(event, text, keyboard(words, back=Go(to="invite")))
        return
    rows: list[Row] = [[button(_label(one), Found(step="choose", number=one.member_id))] for one in found]
    turns = [Found(step="page", number=max(page - 1, 0)), Found(step="page", number=page + 1)]
    rows.append(pager(words, page, more=more, to=turns))
    text = screen(words("invite.title"), words("invite.choose", name=name))
    await show(event, text, keyboard(words, *rows, back=Go(to="invite")))


async def _show_member(event: Event, toolbox: Toolbox, actor: Actor, words: Words, member_id: int) -> None:
    record = await toolbox.members.for_actor(actor, member_id)
    text = screen(
        words("invite.member.title"),
        describe(words, record),
        words("invite.member.joined") if record.accounts else "",
        words("invite.member.forms"),
    )
    rows = [
        [button(words("invite.button.link"), Found(step="link", number=member_id))],
        [button(words("invite.button.paper"), Found(step="paper", number=member_id))],
    ]
    await show(event, text, keyboard(words, *rows, back=Found(step="page", number=0)))


async def _hand_over(query: CallbackQuery, words: Words, issued: Issued, link: str) -> None:
    """Show that it is made, then send what is to be passed on as a message of its own."""
    text = screen(words("invite.made.title", name=issued.name), words(f"invite.made.{issued.form}"))
    await show(query, text, keyboard(words, back=Go(to="invite")))
    when = moment(words, issued.expires_at)
    if not isinstance(query.message, Message):
        return
    if issued.form is InvitationForm.PAPER:
        sheet = paper.sheet(words, issued, link, when)
        file = BufferedInputFile(sheet, words("invite.paper.file", name=issued.name))
        await query.message.answer_document(file, caption=words("invite.paper.caption", when=when))
    else:
        picture = BufferedInputFile(paper.qr_png(link), "invitation.png")
        caption = words("invite.link.caption", name=issued.name, link=link, when=when)
        await query.message.answer_photo(picture, caption=caption)


async def _link(bot: Bot, account: Account, code: str) -> str:
    """Write the deep link of an account; one without such links is joined by typing the code."""
    username = (await bot.me()).username or ""
    template = account.deep_link_template or "/start {payload}"
    return template.format(bot=username, payload=code)


def _label(candidate: Candidate) -> str:
    return f"{candidate.name} · {candidate.organisation}"
