"""`tongdao accounts`: the chat accounts, those that stopped by themselves, and letting one go again."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from bot.commands.asking import Said, asking, last
from bot.commands.common import console, fail, settings

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Its name, as `tongdao accounts list` shows it.")]


@app.command(name="list")
def list_() -> None:
    """Show each account, how fast it may go, and why one has stopped."""
    from rich.table import Table

    found = _do("accounts.list", {})["accounts"]
    if not found:
        console.print("No account yet: `tongdao run` writes those of the settings.")
        return
    table = Table("Account", "State", "Since", "Waiting", "Per second", box=None)
    for each in found:
        since = f"{datetime.fromisoformat(each['since']).astimezone():%d.%m. %H:%M}" if each["since"] else ""
        state = f"[red]stopped ({each['why']})[/red]" if each["since"] else "[green]goes[/green]"
        table.add_row(each["name"], state, since, str(each["waiting"]), f"{each['rate']:.1f}")
    console.print(table)


@app.command()
def resume(name: Name) -> None:
    """Let an account that stopped by itself go again; it is tried again by itself, too."""
    _do("accounts.resume", {"name": name})
    console.print(f"[green]✓[/green] {name} goes again.")


def _do(name: str, body: Said) -> Said:
    from bot.local import CommandFailed, CommandRefused

    try:
        return asyncio.run(_asked(name, body))
    except CommandRefused:
        raise fail(
            f"No stopped account is named {body.get('name')!r}; see `tongdao accounts list`."
        ) from None
    except CommandFailed as failed:
        raise fail(str(failed) or "The bridge could not do it; see its log.") from None


async def _asked(name: str, body: Said) -> Said:
    from bot.account_commands import commands_of

    async with asking(settings(quiet=True), commands_of) as ask:
        return await last(ask(name, body))
