"""`tongdao doctor`: what is well, what is not, and what to do about it."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from bot.commands.common import console, settings


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False
) -> None:
    """Check the installation; exits with 1 when something needs a remedy."""
    found = settings(quiet=True)
    from rich.table import Table

    from bot.doctor import examine

    findings = asyncio.run(examine(found))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    else:
        table = Table("", "Check", "Found", "Remedy", box=None)
        for finding in findings:
            mark = (
                "[red]✗[/red]"
                if not finding.ok
                else "[yellow]![/yellow]"
                if finding.remedy
                else "[green]✓[/green]"
            )
            table.add_row(mark, finding.check, finding.found, finding.remedy)
        console.print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
