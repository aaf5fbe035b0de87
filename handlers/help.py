"""Help: what can be done here, by whom, and where to turn without a phone."""

from domain.permissions import Actor
from handlers.keyboards import Event, keyboard, screen, show
from handlers.taps import command
from locales import Words


@command("help")
async def on_help(event: Event, actor: Actor | None, words: Words) -> None:
    text = screen(
        words("help.title"),
        words("help.member") if actor is not None else words("help.stranger"),
        words("help.secretary") if actor is not None and actor.grants else "",
        words("help.offline"),
    )
    await show(event, text, keyboard(words))
