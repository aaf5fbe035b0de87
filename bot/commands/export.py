"""`tongdao export`: a table of what a role may see, as CSV or XLSX."""

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.commands.common import console, fail, settings, told, with_key
from domain.exports import Table
from services.sheets import SheetForm

if TYPE_CHECKING:
    from bot.settings import Settings
    from services.exports import Wish

_PRIVATE = 0o600


class OtherSchema(Exception):  # noqa: N818 - a fact
    """The database is of another version, or empty: `tongdao db upgrade` brings it up."""


class NoSuchMember(Exception):  # noqa: N818 - a fact
    """There is no active member with this number."""


def export(
    table: Annotated[Table, typer.Argument(help="Which table.")],
    file: Annotated[Path, typer.Argument(help="The file to write, .csv or .xlsx; it is for your eyes only.")],
    *,
    member: Annotated[
        int | None, typer.Option("--as", help="Number of the member whose role decides what is in it.")
    ] = None,
    root: Annotated[
        int | None, typer.Option(help="Number of an organisation: it and all below; by default all.")
    ] = None,
    form: Annotated[
        SheetForm | None, typer.Option("--format", help="By default what the file's name ends in.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the headings: zh_CN or en.")] = "zh_CN",
    phones: Annotated[bool, typer.Option(help="Whether members' numbers are in it.")] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write members, organisations, delivery totals or poll results into a file that `tongdao import` reads again.

    What was exported is noted, and every member in it sees that in /me.
    """
    if file.exists() and not force:
        raise fail(f"{file} is there already; --force replaces it.")
    if not file.parent.is_dir():
        raise fail(f"There is no folder {file.parent}.")
    written = form or next((each for each in SheetForm if file.suffix.lower() == f".{each}"), None)
    if written is None:
        raise fail("Name a file that ends in .csv or .xlsx, or say --format.")
    found = with_key(settings(quiet=True))
    from bot.app import now
    from domain.refusals import NotAllowed, NotFound
    from services.exports import Wish
    from storage.database import DatabaseAway

    wish = Wish(table, root_id=root, language=language, phones=phones)
    with told(DatabaseAway, OtherSchema, NoSuchMember, NotAllowed, NotFound):
        rows = asyncio.run(_write(found, wish, member, file, written, now()))
    console.print(
        f"[green]✓[/green] {file}: {rows} rows. Delete it when you no longer need it.", soft_wrap=True
    )


async def _write(
    found: "Settings", wish: "Wish", member: int | None, file: Path, form: SheetForm, at: datetime
) -> int:
    from dataclasses import replace

    from domain.clock import day_of
    from services.audit import Audit
    from services.exports import Exports
    from services.people import People
    from services.sheets import writing
    from storage import schema
    from storage.database import Database

    database = Database(found.database)
    sealer = found.sealer()
    audit = Audit(database=database, clock=lambda: at, sealer=sealer)
    exports = Exports(database=database, clock=lambda: at, audit=audit, sealer=sealer)
    part = file.with_name(f".{file.name}.part")
    count = -1  # the headings are no row
    try:
        await database.reach()
        if await schema.current(database) != schema.head():
            raise OtherSchema
        if member is not None:
            actor = await People(database=database).actor_of_member(member, day_of(at))
            if actor is None:
                raise NoSuchMember
            wish = replace(wish, actor=actor)
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(opened, "wb") as target, writing(target, form, wish.table) as sheet:
            async for row in exports.rows(wish):
                sheet.add(row)
                count += 1
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
        await database.close()
    return count
