"""Privacy in plain words: what is stored, why, for how long, who can see it, and how to withdraw."""

from domain.permissions import Actor
from handlers.keyboards import Event, Go, button, keyboard, screen, show
from handlers.taps import command
from handlers.welcome import Withdraw
from locales import Words


@command("privacy")
async def on_privacy(event: Event, actor: Actor | None, words: Words) -> None:
    text = screen(
        words("privacy.title"),
        words("privacy.stored"),
        words("privacy.never"),
        words("privacy.why"),
        words("privacy.retention"),
        words("privacy.who"),
        words("privacy.messenger"),
        words("privacy.withdraw"),
    )
    rows = []
    if actor is not None:
        rows = [
            [
                button(words("privacy.button.export"), Go(to="export")),
                button(words("privacy.button.forget"), Go(to="forget")),
            ],
            [button(words("privacy.button.withdraw"), Withdraw())],
        ]
    await show(event, text, keyboard(words, *rows))
