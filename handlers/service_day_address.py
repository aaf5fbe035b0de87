"""A member's web calendar address: made and shown once, renewed, switched off."""

from aiogram.types import CallbackQuery

from domain.permissions import Actor
from handlers.keyboards import Go, Row, button, keyboard, screen, show
from handlers.service_day_taps import Mine
from handlers.taps import StaleTap
from handlers.times import day
from locales import Words
from services.toolbox import Toolbox


async def on_step(query: CallbackQuery, step: str, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Take a step: web (look), ask (whether to renew), renew, off."""
    addresses = toolbox.service_days.addresses
    if step == "renew":
        await _show_new(query, words, await addresses.renew(actor, words.language))
    elif step == "off":
        await addresses.switch_off(actor)
        await _show(query, toolbox, actor, words)
    elif step == "ask":
        rows = [[button(words("service_days.web.button.renew"), Mine(step="renew"))]]
        text = screen(words("service_days.web.title"), words("service_days.web.ask"))
        await show(query, text, keyboard(words, *rows, back=Mine(step="web")))
    elif step == "web":
        await _show(query, toolbox, actor, words)
    else:
        raise StaleTap


async def _show(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    since = await toolbox.service_days.addresses.since(actor)
    what = words("service_days.web.what")
    if since is None:
        rows: list[Row] = [[button(words("service_days.web.button.make"), Mine(step="renew"))]]
        text = screen(words("service_days.web.title"), what, words("service_days.web.none"))
    else:
        rows = [
            [button(words("service_days.web.button.renew"), Mine(step="ask"))],
            [button(words("service_days.web.button.off"), Mine(step="off"))],
        ]
        text = screen(
            words("service_days.web.title"), what, words("service_days.web.since", day=day(words, since))
        )
    await show(query, text, keyboard(words, *rows, back=Go(to="serviceday")))


async def _show_new(query: CallbackQuery, words: Words, url: str) -> None:
    text = screen(
        words("service_days.web.title"),
        words("service_days.web.made"),
        url,
        words("service_days.web.how", scheme=url.partition(":")[0]),
        words("service_days.web.secret"),
    )
    rows = [[button(words("service_days.web.button.off"), Mine(step="off"))]]
    await show(query, text, keyboard(words, *rows, back=Go(to="serviceday")))
