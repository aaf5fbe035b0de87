"""What commands share: settings read or explained, and refusals told without a traceback."""

import contextlib
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from bot.settings import Settings

console = Console()
errors = Console(stderr=True)
WRONG = 2
"""Exit code for what an operator must put right first."""


def fail(message: str, code: int = WRONG) -> typer.Exit:
    """Print what is wrong and return the exit to raise."""
    errors.print(f"[bold red]✗[/bold red] {message}", soft_wrap=True, highlight=False)
    return typer.Exit(code)


def settings(*, quiet: bool = False) -> "Settings":
    """Read the settings and set the logs up; a wrong setting ends the command with its remedy."""
    from bot import logs
    from bot.settings import WrongSettings, read

    try:
        found = read()
    except WrongSettings as error:
        raise fail(f"The settings cannot be used:\n{error}") from None
    secrets = [account.token.get_secret_value() for account in found.accounts]
    secrets.append(found.webchat_operator_token.get_secret_value())
    logs.configure(level="warning" if quiet else found.log_level, style=found.log_format, known=secrets)
    return found


def with_key(found: "Settings") -> "Settings":
    """Return the settings with a secret key: one's own, or that of the demo in this folder."""
    from bot import demo
    from bot.settings import DEMO_KEY

    if found.secret_key.get_secret_value():
        return found
    if not (found.data_dir / DEMO_KEY).exists():
        raise fail("TONGDAO_SECRET_KEY is not set: `tongdao init` makes one.")
    return demo.settings_of(found)


def run_loop(work: Coroutine[Any, Any, None]) -> None:
    """Run what serves until it is told to stop, on uvloop where it is installed."""
    import asyncio

    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


@contextlib.contextmanager
def told(*refusals: type[Exception]) -> Iterator[None]:
    """Tell these refusals in their own words (their docstring, or their message) and exit."""
    try:
        yield
    except refusals as error:
        raise fail(str(error) or (error.__doc__ or type(error).__name__)) from None
