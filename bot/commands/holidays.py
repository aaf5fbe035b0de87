"""`tongdao holidays`: which days are free, which are worked on, and entering a year's official table."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.commands.common import WRONG, console, errors, fail, settings, told

if TYPE_CHECKING:
    from domain.holiday_tables import Reading
    from services.holidays import Holidays, YearLook

app = typer.Typer(no_args_is_help=True)
Year = Annotated[int, typer.Argument(min=2004, max=2100, help="The year, for example 2027.")]
Answer = TypeVar("Answer")


@app.command()
def show(year: Year) -> None:
    """Show a year's free days and worked weekends, and the service days that move because of them."""
    _print(asyncio.run(_with_holidays(lambda holidays: holidays.look(year))))


@app.command()
def template(year: Year) -> None:
    """Print a CSV to fill in; lines that begin with # are left out."""
    from domain.holiday_tables import template as made

    typer.echo(made(year), nl=False)


@app.command(name="import")
def import_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV, JSON or the announcement's text.")
    ],
    *,
    year: Annotated[
        int | None, typer.Option(min=2004, max=2100, help="The year it is for, where the file does not say.")
    ] = None,
    incomplete: Annotated[
        bool,
        typer.Option("--incomplete", help="Take it although it does not mention every statutory holiday."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Enter a year's official table from a file; what was known of that year is replaced.

    A line is DATE,KIND,NAME,ENGLISH NAME: the date may be a span (2027-10-01~2027-10-07), the kind is
    holiday or workday. The State Council's announcement may be given as it is published.
    """
    reading = _read(file, year)
    table = reading.table
    assert table is not None  # noqa: S101 - faults have ended the command
    _refuse_beside_a_running_bridge()
    _print(asyncio.run(_with_holidays(lambda holidays: holidays.look(table.year, table))))
    if reading.missing:
        names = ", ".join(name.said("en") for name in reading.missing)
        if not incomplete:
            raise fail(
                f"Not mentioned: {names}. Complete the file, or add --incomplete if that is how it is."
            )
        console.print(f"[yellow]Not mentioned:[/yellow] {names}.")
    if not yes:
        typer.confirm(f"Enter this as the table of {table.year}?", abort=True)
    changed = asyncio.run(_with_holidays(lambda holidays: holidays.enter(table)))
    console.print(f"{table.year} is entered." if changed else f"{table.year} was entered already, just so.")


@app.command()
def remove(year: Year, *, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take an entered year out again; what the program itself knows of it holds then."""
    _refuse_beside_a_running_bridge()
    if not yes:
        typer.confirm(f"Take the entered table of {year} out?", abort=True)
    if not asyncio.run(_with_holidays(lambda holidays: holidays.remove(year))):
        raise fail(f"No table of {year} was entered.")
    console.print(f"The entered table of {year} is gone.")


def _read(file: Path, year: int | None) -> "Reading":
    from domain import holiday_tables
    from locales import speak

    try:
        text = file.read_bytes()[: holiday_tables.LONGEST_TEXT * 4].decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = file.read_bytes().decode("gb18030")
        except UnicodeDecodeError:
            raise fail(f"{file.name} is no text (UTF-8 or GB18030).") from None
    reading = holiday_tables.read(text, year)
    if reading.faults:
        words = speak("en")
        for fault in reading.faults:
            where = f"line {fault.line}: " if fault.line else ""
            errors.print(
                f"{where}{words(f'holidays.fault.{fault.what}')}  {fault.said}", markup=False, highlight=False
            )
        raise typer.Exit(WRONG)
    return reading


async def _with_holidays(work: "Callable[[Holidays], Awaitable[Answer]]") -> Answer:
    """Open the database, which must be of this version's schema, for one piece of work."""
    found = settings(quiet=True)
    from services.audit import Audit
    from services.holidays import Holidays
    from storage import schema
    from storage.database import Database, DatabaseAway

    database = Database(found.database)
    try:
        with told(DatabaseAway):
            await database.reach()
        if await schema.current(database) != schema.head():
            raise fail("The schema is of another version: run `tongdao db upgrade`, or `tongdao init` first.")
        audit = Audit(database=database, clock=_now, sealer=found.sealer())
        return await work(Holidays(database=database, clock=_now, audit=audit))
    finally:
        await database.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _refuse_beside_a_running_bridge() -> None:
    """Leave SQLite to its one writing process."""
    found = settings(quiet=True)
    from bot.doctor import is_running

    if found.database.startswith("sqlite") and asyncio.run(is_running(found)):
        raise fail(
            "A bridge is running on this database: enter the year in its chat with /holidays, or stop it."
        )


def _print(look: "YearLook") -> None:
    from rich.table import Table

    if not look.known:
        console.print(
            f"{look.year} is not known. `tongdao holidays template {look.year}` prints a form to fill in."
        )
        return
    console.print(
        f"[bold]{look.year}[/bold], " + ("as entered" if look.entered else "as the program knows it")
    )
    table = Table("Days", "", "", box=None)
    for span in look.spans:
        days = f"{span.first}" if span.first == span.last else f"{span.first} ~ {span.last}"
        name = " ".join(filter(None, (span.day.name.zh, span.day.name.en)))
        table.add_row(days, span.day.kind.value.replace("_", " "), name)
    console.print(table)
    for each in look.moved:
        reason = each.moved_because.name.said("en") if each.moved_because else ""
        console.print(f"Service day {each.planned} moves to {each.date} ({reason}).", highlight=False)
