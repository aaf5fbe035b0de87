"""Stopping and resuming: at once, and saying what still works."""

from domain.permissions import Actor
from handlers.keyboards import Event, Go, button, keyboard, screen, show
from handlers.taps import command
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


@command("stop")
@members_only
async def on_stop(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Stop all messages at once; nobody is asked why."""
    await toolbox.members.stop(actor)
    text = screen(words("stop.title"), words("stop.what"), words("stop.still"), words("stop.offline"))
    await show(event, text, keyboard(words, [button(words("menu.button.resume"), Go(to="resume"))]))


@command("resume")
@members_only
async def on_resume(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Let messages come again."""
    await toolbox.members.resume(actor)
    text = screen(words("resume.title"), words("resume.what"))
    await show(event, text, keyboard(words, [button(words("menu.button.topics"), Go(to="topics"))]))
