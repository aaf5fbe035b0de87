"""`tongdao db`: the schema's version, up and down, and the move to another database."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.common import console, fail, settings, told

if TYPE_CHECKING:
    from rich.progress import Progress

    from storage.copying import Copied

app = typer.Typer(no_args_is_help=True)


@app.command()
def upgrade(revision: Annotated[str, typer.Argument(help="The version to reach.")] = "head") -> None:
    """Bring the schema up to a version, by default the newest."""
    _move("upgrade", revision)


@app.command()
def downgrade(
    revision: Annotated[str, typer.Argument(help="The version to go back to; `base` drops every table.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the schema back to an older version: what newer tables hold is lost, so back up first."""
    if not yes:
        typer.confirm(f"Go back to {revision} and lose what newer tables hold?", abort=True)
    _move("downgrade", revision)


@app.command()
def copy(
    source: Annotated[
        str, typer.Argument(help="The database to read, such as sqlite+aiosqlite:///var/tongdao.db.")
    ],
    target: Annotated[
        str, typer.Argument(help="An empty one, such as postgresql+asyncpg://tongdao@localhost/tongdao.")
    ],
) -> None:
    """Copy one database into another, and verify every table by its count and checksum.

    All or nothing: what fails leaves the target empty, and the source is only read. Stop the bridge first.
    The secret key and the media folder stay as they are: the new database needs both.
    """
    from storage import copying
    from storage.database import Database, DatabaseAway

    path = source.partition("sqlite+aiosqlite:///")[2]
    if path and not Path(path).is_file():
        raise fail(f"There is no database at {path}.")
    _refuse_beside_a_running_bridge(source)
    refusals = (
        copying.NotAtHead,
        copying.TargetNotEmpty,
        copying.CannotBeHeld,
        copying.CopyDiffers,
        copying.CopyFailed,
        DatabaseAway,
    )

    async def run(bars: "Progress") -> "list[Copied]":
        tasks: dict[str, Any] = {}

        def show(table: str, done: int, rows: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=rows or 1, visible=rows > 0)
            bars.update(tasks[table], completed=done or (not rows))

        read_from, write_to = Database(source), Database(target)
        try:
            await read_from.reach()
            await write_to.reach()
            return await copying.copy(read_from, write_to, show)
        finally:
            await read_from.close()
            await write_to.close()

    from rich import progress

    with told(*refusals), progress.Progress(console=console) as bars:
        copied = asyncio.run(run(bars))
    _show(copied)
    console.print(
        "All tables agree. Put the new address into TONGDAO_DATABASE_URL; the secret key stays the same."
    )


def _refuse_beside_a_running_bridge(source: str) -> None:
    found = settings(quiet=True)
    from bot import fleet
    from bot.doctor import is_running
    from storage.same_database import same_database

    async def runs_on_it() -> bool:
        ours = same_database(source, found.database)
        return await fleet.runs_on(source) or (ours and await is_running(found))

    if asyncio.run(runs_on_it()):
        raise fail("A bridge is running on the source: stop it, or what comes in meanwhile stays behind.")


def _show(copied: "list[Copied]") -> None:
    from rich.table import Table

    table = Table("table", "rows", "checksum")
    table.columns[1].justify = "right"
    for each in copied:
        if each.rows:
            table.add_row(each.table, f"{each.rows:,}", f"{each.checksum:016x}")
    console.print(table)


def _move(direction: str, revision: str) -> None:
    found = settings(quiet=True)
    from storage import schema
    from storage.database import Database

    async def move() -> str | None:
        database = Database(found.database)
        try:
            await getattr(schema, direction)(database, revision)
            return await schema.current(database)
        finally:
            await database.close()

    found.data_dir.mkdir(parents=True, exist_ok=True)
    console.print(f"The schema is at [bold]{asyncio.run(move()) or 'base'}[/bold].")
