"""`tongdao import`: a roster of members or organisations, from CSV or XLSX."""

import asyncio
import base64
import contextlib
import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.commands.asking import Ask, Said, asking, last
from bot.commands.common import console, fail, settings

if TYPE_CHECKING:
    from rich.progress import Progress

    from bot.local import Commands
    from bot.settings import Settings
    from storage.database import Database

BAD_ROWS = 1
"""Exit code when rows are bad and nothing was written."""


class Kind(StrEnum):
    """What the rows are; by default it is told from the headings."""

    MEMBERS = "members"
    ORGANISATIONS = "organisations"


def import_(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, up to 20 MB.", exists=True, dir_okay=False)],
    kind: Annotated[Kind | None, typer.Option(help="What the rows are.")] = None,
    sheet: Annotated[str, typer.Option(help="The sheet to read, where a workbook has several.")] = "",
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", help="What a column means: --map 备用电话=phone; 备注=- leaves it out."),
    ] = None,
    bad: Annotated[
        Path | None, typer.Option(help="Where to write the bad rows; by default beside the file.")
    ] = None,
    *,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Write the good rows and skip the bad.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Import a roster: see what it would do, then write it. Nobody is ever deleted.

    While the bridge runs on SQLite, it does the writing itself, asked through its local socket.
    """
    found = _ready(settings(quiet=True))
    from bot.local import CommandFailed, CommandRefused

    wanted = {
        "path": str(file.resolve()),
        "kind": kind.value if kind else "",
        "sheet": sheet,
        "maps": maps or [],
    }
    try:
        asyncio.run(_import(found, wanted, bad, skip_bad=skip_bad, dry_run=dry_run, yes=yes))
    except CommandRefused as refused:
        raise fail(_words()(refused.key, **refused.fields)) from None
    except CommandFailed as failed:
        raise fail(str(failed) or "The bridge could not do it; see its log.") from None


def _ready(found: "Settings") -> "Settings":
    """Return the settings with a key: one's own, or that of a demo."""
    from bot import demo
    from bot.settings import DEMO_KEY

    if found.secret_key.get_secret_value():
        return found
    if not (found.data_dir / DEMO_KEY).exists():
        raise fail("TONGDAO_SECRET_KEY is not set: `tongdao init` makes one.")
    return demo.settings_of(found)


def _words() -> Any:
    """Speak the language of the terminal."""
    from locales import speak

    spoken = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return speak("zh_CN" if spoken.startswith("zh") else "en")


async def _import(
    found: "Settings", wanted: Said, bad: Path | None, *, skip_bad: bool, dry_run: bool, yes: bool
) -> None:
    async with asking(found, _steps(found)) as ask:
        begun = await last(ask("import.begin", wanted))
        try:
            _show_columns(begun)
            ready = await _prepare(ask, begun["id"])
            _show_figures(ready, "would")
            if ready["figures"]["bad"]:
                await _keep_bad(ask, begun["id"], bad or Path(wanted["path"]).parent)
            done = await _write(ask, ready, skip_bad=skip_bad, dry_run=dry_run, yes=yes)
        except BaseException:
            with contextlib.suppress(Exception):
                await last(ask("import.cancel", {"id": begun["id"]}))
            raise
        if done is None:
            await last(ask("import.cancel", {"id": begun["id"]}))
            if ready["figures"]["bad"] and not dry_run:
                raise typer.Exit(BAD_ROWS)
            return
        _show_figures(done, "done")


async def _write(ask: Ask, ready: Said, *, skip_bad: bool, dry_run: bool, yes: bool) -> Said | None:
    """Write, unless there is nothing to write, something is bad, or nobody wants it."""
    figures = ready["figures"]
    writes = figures["created"] + figures["changed"] + figures["moved"]
    if dry_run or not writes:
        return None
    if figures["bad"] and not skip_bad:
        console.print("Nothing is written while rows are bad: correct them, or give [bold]--skip-bad[/bold].")
        return None
    if not yes and not typer.confirm(f"Write {writes} rows?", default=False):
        return None
    return await last(ask("import.apply", {"id": ready["id"], "skip_bad": skip_bad}))


def _steps(found: "Settings") -> "Callable[[Database], Commands]":
    """Return what does the steps here, where no bridge does."""
    from bot.app import now
    from bot.import_commands import commands_of
    from bot.toolbox import build_roster
    from services.audit import Audit

    def made(database: "Database") -> "Commands":
        audit = Audit(database=database, clock=now, sealer=found.sealer())
        return commands_of(build_roster(found, database, now, audit))

    return made


async def _prepare(ask: Ask, import_id: int) -> Said:
    """Read and compare, with a bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}
        said: Said = {}
        async for said in ask("import.prepare", {"id": import_id}):
            if "what" in said:
                _advance(bars, tasks, said)
    return said


def _advance(bars: "Progress", tasks: dict[str, Any], said: Said) -> None:
    what = said["what"]
    if what not in tasks:
        tasks[what] = bars.add_task(what, total=said["total"])
    bars.update(tasks[what], completed=said["done"], total=said["total"])


def _show_columns(begun: Said) -> None:
    from rich.table import Table

    title = f"{begun['kind']}, sheet {begun['sheet']}" if begun["sheet"] else begun["kind"]
    table = Table("Column", "Meaning", title=title, title_justify="left", box=None)
    for each in begun["columns"]:
        meaning = "[yellow]never kept[/yellow]" if each["never"] else each["meaning"] or "[dim]not used[/dim]"
        table.add_row(each["heading"], meaning)
    console.print(table)
    console.print("[dim]Another meaning: --map HEADING=MEANING[/dim]")


def _show_figures(said: Said, title: str) -> None:
    from domain.roster import Figures
    from services import roster_words

    words = _words()
    console.print(f"[bold]{words(f'roster.{title}')}[/bold]")
    console.print(roster_words.lines(words, Figures(**said["figures"])), highlight=False)


async def _keep_bad(ask: Ask, import_id: int, target: Path) -> None:
    """Write the bad rows beside the file, and show the first."""
    words = _words()
    said = await last(ask("import.bad", {"id": import_id, "language": words.language}))
    for each in said["lines"]:
        console.print(f"  {words('roster.bad.line', **each)}", highlight=False)
    path = await asyncio.to_thread(_written, target, said["name"], base64.b64decode(said["data"]))
    console.print(f"The bad rows, to be corrected: {path}", soft_wrap=True, highlight=False)


def _written(target: Path, name: str, data: bytes) -> Path:
    path = target / name if target.is_dir() else target
    path.write_bytes(data)
    return path
