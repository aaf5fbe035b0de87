"""`tongdao`: the operator's command line."""

import os
from typing import Annotated

import typer

from bot.commands import (
    accounts,
    backup,
    db,
    deliveries,
    demo_data,
    doctor,
    export,
    holidays,
    import_,
    init,
    run,
    webchat,
)

app = typer.Typer(
    help="通道 Tongdao: the bridge between a city's membership organisation and its members.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("run")(run.run)
app.command("init")(init.init)
app.command("demo-data")(demo_data.demo_data)
app.command("doctor")(doctor.doctor)
app.command("export")(export.export)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("import")(import_.import_)
app.add_typer(accounts.app, name="accounts", help="The chat accounts: list, resume one that stopped.")
app.add_typer(db.app, name="db", help="Bring the database to a version of the schema.")
app.add_typer(
    deliveries.app, name="deliveries", help="What is going out or waits: list, resume, cancel, resolve."
)
app.add_typer(holidays.app, name="holidays", help="Free days and worked weekends; enter a year's table.")
app.add_typer(webchat.app, name="webchat", help="The chat server alone, and its bots.")


@app.callback()
def about(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)
    ] = False,
) -> None:
    """Say which version this is."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"tongdao {installed('tongdao')}")
        raise typer.Exit


def main() -> None:
    os.umask(0o077)  # what we write holds names and chats: for its owner's eyes only
    app()


if __name__ == "__main__":
    main()
