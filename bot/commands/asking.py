"""A command's way to what writes: the bridge that runs, through its local socket, or this process."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.local import Commands
    from bot.settings import Settings
    from storage.database import Database

Said = dict[str, Any]
Ask = Callable[[str, Said], AsyncIterator[Said]]


@contextlib.asynccontextmanager
async def asking(found: "Settings", commands_of: "Callable[[Database], Commands]") -> AsyncIterator[Ask]:
    """Ask the bridge where it runs on SQLite, which has one writing process; otherwise do it here."""
    from bot import local
    from bot.doctor import is_bridge_running
    from storage import schema
    from storage.database import Database

    path = local.path_of(found.data_dir)
    on_sqlite = found.database.startswith("sqlite")
    if on_sqlite and local.answers(path):
        yield lambda name, body: local.ask(path, name, body)
        return
    if on_sqlite and await is_bridge_running(found):
        msg = (
            "A bridge runs here, but its local socket does not answer: stop it, or run this as the same user."
        )
        raise local.CommandFailed(msg)
    database = Database(found.database)
    try:
        await schema.upgrade(database)
        commands = commands_of(database)
        yield lambda name, body: local.here(commands, name, body)
    finally:
        await database.close()


async def last(answers: AsyncIterator[Said]) -> Said:
    """Return the outcome: the last thing that is said."""
    heard = [said async for said in answers]
    return heard[-1]
