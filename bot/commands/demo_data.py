"""`tongdao demo-data`: fill an empty database with a synthetic city."""

import asyncio
from typing import Annotated

import typer

from bot.commands.common import console, settings, told


def demo_data(
    scale: Annotated[
        int,
        typer.Option(
            min=1, max=10_000, help="1:SCALE of the essay's city; 1 is the whole city, for load tests."
        ),
    ] = 100,
) -> None:
    """Fill an empty database with a synthetic city: always the same, never anybody real."""
    found = settings(quiet=True)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bot import app, demo
    from services import demo_data as data
    from storage import schema
    from storage.database import Database

    found.data_dir.mkdir(parents=True, exist_ok=True)
    found = demo.settings_of(found)

    async def load(bars: Progress) -> None:
        tasks: dict[str, object] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)  # type: ignore[arg-type]

        database = Database(found.database)
        try:
            await schema.upgrade(database)
            await data.load(database, scale=scale, clock=app.now, sealer=found.sealer(), progress=show)
        finally:
            await database.close()

    columns = (TextColumn("{task.description:>14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with told(data.NotEmpty), Progress(*columns, console=console) as bars:
        asyncio.run(load(bars))
    console.print("Demo data is in. [bold]tongdao run --demo[/bold] shows it.")
