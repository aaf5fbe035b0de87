"""`tongdao webchat`: the chat server alone, and its bots."""

import asyncio
import secrets
from typing import Annotated

import typer

from bot.commands.common import console, fail, run_loop, settings, told

app = typer.Typer(invoke_without_command=True)


@app.callback()
def serve(context: typer.Context) -> None:
    """Serve the web chat alone; Ctrl-C stops it."""
    if context.invoked_subcommand is not None:
        return
    found = settings()
    from bot import app as process

    found.data_dir.mkdir(parents=True, exist_ok=True)
    with told(process.PortTaken, process.WebchatTwice):
        run_loop(process.serve_webchat_alone(found))


@app.command("new-bot")
def new_bot(
    name: Annotated[str, typer.Argument(help="What people see, for example 海曙区通道.")],
    username: Annotated[str, typer.Option(help="Its address: letters, digits and underscores.")] = "",
) -> None:
    """Register a bot on the chat server and print its token: keep it, it is shown only once."""
    found = settings(quiet=True)
    from bot.webchat_account import WebchatRefused, register

    wish = username or f"tongdao_{secrets.token_hex(3)}_bot"
    try:
        made = asyncio.run(register(found, name, wish))
    except WebchatRefused as error:
        raise fail(f"The chat server refuses: {error}") from None
    if made is None:
        raise fail(f"The username {wish} is taken; choose another with --username.")
    console.print(made["token"], soft_wrap=True, highlight=False)
