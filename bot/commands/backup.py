"""`tongdao backup` and `tongdao restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import console, fail, settings, told


def backup(
    target: Annotated[
        Path | None,
        typer.Argument(help="The archive to write; by default one named by the time, in the data folder."),
    ] = None,
) -> None:
    """Write both databases and the media into one archive; the bridge may go on running.

    The secret key is not in it: keep that apart, or the archive opens for whoever finds it.
    """
    found = settings(quiet=True)
    from bot import archive
    from bot.app import now

    at = now()
    path = target or found.data_dir / f"backup-{at:%Y%m%d-%H%M%S}.tar.gz"
    made = asyncio.run(archive.make(found, path, at))
    console.print(f"[green]✓[/green] {made.path}: {made.rows} rows, {made.files} files.", soft_wrap=True)
    console.print("  The secret key is not in it: keep a copy of TONGDAO_SECRET_KEY apart.")


def restore(
    source: Annotated[
        Path, typer.Argument(help="An archive that `tongdao backup` wrote.", exists=True, dir_okay=False)
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup in the place of what is there. Stop the bridge first.

    What was going out to more than one person is paused, and what was to go out meanwhile is a draft again: nobody gets it twice.
    """
    found = settings(quiet=True)
    from bot import archive
    from bot.app import now
    from bot.doctor import is_running

    if asyncio.run(is_running(found)):
        raise fail("The bridge is running: stop it first, so that nothing is written meanwhile.")
    if not yes:
        typer.confirm("Replace both databases and the media by this backup?", abort=True)
    with told(archive.BackupDamaged, archive.OtherSchema):
        rows = asyncio.run(archive.restore(found, source, now()))
    console.print(
        f"[green]✓[/green] {rows} rows are back. Start the bridge with the secret key of that time."
    )
