"""The way into the console: a link that signs one browser in, and the way out of all of them."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, LinkPreviewOptions
from aiogram.utils.formatting import Text

from domain.accounts import Account
from domain.permissions import Actor
from domain.sign_ins import LINK_LASTS, SignIn
from handlers.keyboards import Event, Go, Row, button, keyboard, screen, show
from handlers.taps import command, tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


class Leave(CallbackData, prefix="cout"):
    """Sign out of the console everywhere."""


@command("console")
@members_only
async def on_console(event: Event, toolbox: Toolbox, actor: Actor, account: Account, words: Words) -> None:
    """Give a new link; it is not previewed, so that the messenger does not go and look at it."""
    url = await toolbox.sign_ins.link(actor, account, words.language)
    open_ones = await toolbox.sign_ins.open_ones(actor)
    text = screen(
        words("sign_ins.title"),
        words("sign_ins.what"),
        url,
        words("sign_ins.how", minutes=int(LINK_LASTS.total_seconds() // 60)),
        _signed_in(words, open_ones),
    )
    await _show(event, text, words, open_ones)


@tap(Leave)
@members_only
async def on_leave(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Sign out everywhere; the link that waits is gone as well."""
    await toolbox.sign_ins.sign_out_everywhere(actor)
    text = screen(words("sign_ins.title"), words("sign_ins.out"))
    await show(query, text, keyboard(words, [button(words("sign_ins.button.link"), Go(to="console"))]))


async def _show(event: Event, text: Text, words: Words, open_ones: list[SignIn]) -> None:
    rows: list[Row] = [[button(words("sign_ins.button.again"), Go(to="console"))]]
    if open_ones:
        rows.append([button(words("sign_ins.button.leave"), Leave())])
    await show(event, text, keyboard(words, *rows), preview=LinkPreviewOptions(is_disabled=True))


def _signed_in(words: Words, open_ones: list[SignIn]) -> str:
    if not open_ones:
        return ""
    return words.plural("sign_ins.open", len(open_ones), when=moment(words, open_ones[0].seen_at))
