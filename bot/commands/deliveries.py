"""`tongdao deliveries`: what is going out or waits for a person's word, and that word."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from bot.commands.asking import Said, asking, last
from bot.commands.common import console, fail, settings

app = typer.Typer(no_args_is_help=True)
NARROW = 7
WIDTH = 100
"""Columns that the figures of a million recipients need; a file or a narrower terminal gets them all the same."""
FIGURES = ("planned", "sent", "failed", "unknown", "waiting", "held")
Number = Annotated[int, typer.Argument(help="Its number, as `tongdao deliveries list` shows it.")]


@app.command(name="list")
def list_() -> None:
    """Show what runs or is paused, and why; who was skipped is neither sent nor failed.

    The rate is what goes out really; a finish with ~ is an estimate from its share of the pace.
    """
    from rich.table import Table

    said = _do("deliveries.list", {})
    found = said["dispatches"]
    for each in said["doubtful"]:
        console.print(
            f"{each['id']} ({each['source']}): {each['parked']} perhaps received it;"
            f" `tongdao deliveries resolve {each['id']} --again` or `--leave`."
        )
    if not found:
        console.print("Nothing is going out, and nothing waits.")
        return
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    table.add_column("No.", no_wrap=True)
    for name in ("What", "State"):
        table.add_column(name, overflow="fold", min_width=NARROW)
    for name in (*FIGURES, "rate", "finish"):
        table.add_column(name.capitalize(), justify="right", no_wrap=True)
    for each in found:
        state = f"{each['state']} ({each['why']})" if each["why"] else each["state"]
        counts = [f"{each[name]:,}" for name in FIGURES]
        rate = f"{each['rate']:g}/s" if each["state"] == "running" else "–"
        table.add_row(str(each["id"]), each["source"], state, *counts, rate, _finish(each))
    console.width = max(console.width, WIDTH)
    console.print(table)


def _finish(each: Said) -> str:
    if not each["finish"]:
        return "–"
    about = "~" if each["estimated"] else ""
    return f"{about}{datetime.fromisoformat(each['finish']).astimezone():%m-%d %H:%M}"


@app.command()
def pause(number: Number) -> None:
    """Stop one that runs, within a second; who still waits goes on waiting until `resume`."""
    _do("deliveries.pause", {"id": number})
    console.print(f"[green]✓[/green] {number} is paused; `tongdao deliveries resume {number}` lets it go on.")


@app.command()
def resume(number: Number) -> None:
    """Let a paused one go on, for example after a restore; who was reached since the backup may be told again."""
    _do("deliveries.resume", {"id": number})
    console.print(f"[green]✓[/green] {number} goes on.")


@app.command()
def cancel(
    number: Number, *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False
) -> None:
    """End one: who still waits gets nothing."""
    if not yes:
        typer.confirm(f"End {number}? Who still waits gets nothing.", abort=True)
    _do("deliveries.cancel", {"id": number})
    console.print(f"[green]✓[/green] {number} is ended.")


@app.command()
def retry(number: Number) -> None:
    """Send one again to those for whom it failed; nobody of them has received it."""
    count = _do("deliveries.retry", {"id": number})["count"]
    console.print(f"[green]✓[/green] {number} is sent again to {count}.")


@app.command()
def resolve(
    number: Number,
    *,
    again: Annotated[
        bool,
        typer.Option("--again/--leave", help="Send it again (some may get it twice), or leave it at that."),
    ],
) -> None:
    """Decide about those who perhaps received one: the answer of the messenger was lost."""
    count = _do("deliveries.resolve", {"id": number, "again": again})["count"]
    done = "is sent again to" if again else "is left as it is for"
    console.print(f"[green]✓[/green] {number} {done} {count}.")


def _do(name: str, body: Said) -> Said:
    from bot.local import CommandFailed, CommandRefused

    try:
        return asyncio.run(_asked(name, body))
    except CommandRefused:
        raise fail(f"{body['id']} is not in a state in which this can be done.") from None
    except CommandFailed as failed:
        raise fail(str(failed) or "The bridge could not do it; see its log.") from None


async def _asked(name: str, body: Said) -> Said:
    from bot.app import now
    from bot.delivery_commands import commands_of

    async with asking(settings(quiet=True), lambda database: commands_of(database, now)) as ask:
        return await last(ask(name, body))
