"""`tongdao run`: start the bridge, all roles or some of them."""

from enum import StrEnum
from typing import Annotated

import typer

from bot.commands.common import console, run_loop, settings, told


class Role(StrEnum):
    """What one process may do; on SQLite one process does all."""

    BOT = "bot"
    WORKER = "worker"
    CLOCK = "clock"
    CONSOLE = "console"
    WEBCHAT = "webchat"


def run(
    role: Annotated[
        list[Role] | None,
        typer.Option(help="Start this role only; may be given several times. Without it, all roles."),
    ] = None,
    *,
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Fill an empty database with a synthetic city, and print sign-in links."),
    ] = False,
) -> None:
    """Start the bridge; Ctrl-C stops it cleanly.

    On an empty database it names [bold]tongdao init[/bold] and stops, unless [bold]--demo[/bold] is given.
    """
    found = settings()
    import gc

    gc.disable()  # a quarter of the start went into scanning half-imported models; `app.run` enables it
    from bot import app
    from bot.demo import DemoMeetsTelegram
    from bot.webchat_account import WebchatAccountLost, WebchatRefused
    from storage.database import DatabaseAway

    if demo:
        console.print("[yellow]通道 Tongdao 正在启动，使用演示数据 · starting with demo data …[/yellow]")
    roles = [each.value for each in role] if role else list(app.ROLES)
    refusals = (
        app.EmptyDatabase, app.NoAccounts, app.NoSecretKey, app.PortTaken, app.OneProcessOnSqlite,
        app.FolderNotWritable, app.WebchatTwice, DatabaseAway, DemoMeetsTelegram, WebchatAccountLost, WebchatRefused,
    )  # fmt: skip
    with told(*refusals):
        run_loop(app.run(found, roles, with_demo=demo))
