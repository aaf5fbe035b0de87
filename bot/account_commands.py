"""What an operator does to accounts that stopped by themselves: list, resume; as the local socket knows them."""

from collections.abc import AsyncIterator

from bot.local import Commands, Said
from domain.refusals import NotFound
from storage import halts
from storage.database import Database


def commands_of(database: Database) -> Commands:
    """Return the commands; a worker finds within seconds what goes again."""
    accounts = _Accounts(database)
    return {"accounts.list": accounts.list, "accounts.resume": accounts.resume}


class _Accounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self, body: Said) -> AsyncIterator[Said]:
        """Tell each account, and whether it has stopped."""
        async with self._database.read() as session:
            found = await halts.overview(session)
        yield {
            "accounts": [
                {
                    "name": each.name,
                    "rate": each.rate,
                    "why": each.reason,
                    "since": None if each.since is None else each.since.isoformat(),
                    "waiting": each.waiting,
                }
                for each in found
            ]
        }

    async def resume(self, body: Said) -> AsyncIterator[Said]:
        """Let a stopped account go again."""
        async with self._database.begin() as session:
            stopped = {each.name: each.account_id for each in await halts.read_all(session)}
            number = stopped.get(str(body["name"]))
            if number is None or not await halts.resume(session, number):
                raise NotFound
        yield {"name": body["name"]}
