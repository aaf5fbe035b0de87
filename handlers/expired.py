"""Invitations that ran out unused: whose they were, and making a new one."""

from aiogram.types import CallbackQuery

from domain.permissions import Actor
from handlers.invite import Expired, Found
from handlers.keyboards import Event, Go, Row, button, keyboard, pager, screen, show
from handlers.taps import tap
from handlers.times import short_day
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


@tap(Expired)
@members_only
async def on_expired(
    query: CallbackQuery, tap: Expired, toolbox: Toolbox, actor: Actor, words: Words
) -> None:
    await show_expired(query, toolbox, actor, words, max(tap.page, 0))


async def show_expired(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int = 0) -> None:
    toolbox.invitations.require_inviter(actor)
    found = await toolbox.expiry.ran_out(actor, page)
    rows: list[Row] = [
        [
            button(
                words("expired.item", name=one.name, day=short_day(words, one.since)),
                Found(step="choose", number=one.member_id),
            )
        ]
        for one in found.lines
    ]
    rows.append(pager(words, page, more=found.more, to=[Expired(page=page - 1), Expired(page=page + 1)]))
    text = screen(words("expired.title"), words("expired.what" if found.lines else "expired.none"))
    await show(event, text, keyboard(words, *rows, back=Go(to="invite")))
