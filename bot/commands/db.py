"""`tongdao db`: the schema's version, up and down."""

import asyncio
from typing import Annotated

import typer

from bot.commands.common import console, settings

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
