"""`tongdao init`: the first set-up, asked step by step, written to `.env`."""

import base64
import os
import secrets
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import console, fail, settings

ENV = Path(".env")


def init(
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing .env without asking.")] = False,
) -> None:
    """Ask for the first set-up, write .env (the secret key included), and prepare the database.

    What the environment sets already is proposed, and its secret key is kept.
    """
    if ENV.exists() and not force and not typer.confirm(f"{ENV} exists. Replace it?", default=False):
        raise fail("Nothing was changed.", 1)
    console.print(
        "[bold]通道 Tongdao[/bold] · 首次设置 first set-up. Press Enter to keep what is in brackets.\n"
    )
    folder = typer.prompt("Data folder", default=_set("DATA_DIR", "./var"))
    http = typer.prompt("Port for health, metrics and webhooks", default=_set("HTTP_PORT", "8080"), type=int)
    webchat = typer.prompt("Port of the web chat", default=_set("WEBCHAT_PORT", "8081"), type=int)
    lines = {
        "TONGDAO_DATA_DIR": folder,
        "TONGDAO_HTTP_PORT": str(http),
        "TONGDAO_WEBCHAT_PORT": str(webchat),
        "TONGDAO_WEBCHAT_PUBLIC_URL": typer.prompt(
            "Address people open the web chat at",
            default=_set("WEBCHAT_PUBLIC_URL", f"http://127.0.0.1:{webchat}"),
        ),
        "TONGDAO_DATABASE_URL": typer.prompt(
            "Database URL (empty: SQLite in the data folder)",
            default=_set("DATABASE_URL", ""),
            show_default=False,
        ),
        "TONGDAO_SECRET_KEY": _set("SECRET_KEY", "") or new_key(),
    }
    root = typer.prompt("Name of the organisation at the root of the tree, for example 宁波市委员会")
    person = typer.prompt("Your name: you become its secretary")
    write_env(ENV, lines)
    os.environ.update({name: value for name, value in lines.items() if value})
    link = _plant(root, person)
    console.print(
        f"\n[green]✓[/green] {ENV} is written for your eyes only (0600). Back the secret key up apart from the database."
    )
    console.print("[green]✓[/green] The database is ready. Start with [bold]tongdao run[/bold], then open:")
    console.print(f"  {link}", soft_wrap=True, highlight=False)


def _set(name: str, otherwise: str) -> str:
    return os.environ.get(f"TONGDAO_{name}") or otherwise


def new_key() -> str:
    """Make a secret key, named by the month it was made in."""
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    return f"k{date.today():%Y%m}:{key}"  # noqa: DTZ011 - a label, not a time


def write_env(path: Path, lines: dict[str, str]) -> None:
    """Write the file so that only its owner can read it, whole or not at all."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    text = "".join(f"{name}={value}\n" for name, value in lines.items() if value)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("# Written by `tongdao init`; every setting is explained in .env.example.\n" + text)
    part.replace(path)


def _plant(root: str, person: str) -> str:
    """Write the root, its secretary and their invitation; returns the link that joins their chat."""
    found = settings(quiet=True)
    import asyncio

    from bot import first_setup

    return asyncio.run(first_setup.plant(found, root, person))
