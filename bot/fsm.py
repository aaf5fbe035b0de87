"""aiogram's dialogue storage in our database, with a write-through cache of the chats in hand."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, StateType, StorageKey

from bot.claims import fence
from domain.clock import Clock
from storage import fsm
from storage.claims import Chat
from storage.database import Database, with_each_change

CACHED = 10_000
FORGOTTEN_AFTER = timedelta(days=30)
Entry = tuple[str | None, str]
"""A state, and its data as JSON: what a handler changes in the data it was given stays its own."""


class SqlStorage(BaseStorage):
    """One bot account is one `account_id`; aiogram's keys name it by its bot id.

    The cache is right as long as one process serves a chat: it is forgotten when an account comes or a chat goes.
    """

    def __init__(self, database: Database, clock: Clock, account_of_bot: Mapping[int, int]) -> None:
        self._database = database
        self._clock = clock
        self._account_of_bot = account_of_bot
        self._cache: OrderedDict[fsm.Key, Entry] = OrderedDict()
        self._users: dict[Chat, set[int]] = {}

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        value = state.state if isinstance(state, State) else state
        _, data = await self._read(key)
        await self._write(key, (value, data))

    async def get_state(self, key: StorageKey) -> str | None:
        return (await self._read(key))[0]

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        state, _ = await self._read(key)
        await self._write(key, (state, json.dumps(dict(data), ensure_ascii=False)))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((await self._read(key))[1])
        return data

    async def close(self) -> None:
        self.forget()

    def forget(self, chat: Chat | None = None) -> None:
        """Read a chat, or everything, anew: another process may have written meanwhile."""
        if chat is None:
            self._cache.clear()
            self._users.clear()
        else:
            for user in self._users.pop(chat, ()):
                self._cache.pop((*chat, user), None)

    async def reap(self) -> None:
        """Drop dialogues that nobody went on with."""
        async with self._database.begin() as session:
            await fsm.reap(session, self._clock() - FORGOTTEN_AFTER)
        self.forget()

    async def _read(self, key: StorageKey) -> Entry:
        place = self._place(key)
        entry = self._cache.get(place)
        if entry is None:
            async with self._database.read() as session:
                entry = await fsm.read(session, place)
            self._keep(place, entry)
        return entry

    async def _write(self, key: StorageKey, entry: Entry) -> None:
        place = self._place(key)
        if self._cache.get(place) == entry:
            return
        token = with_each_change.set(
            None
        )  # a step of a dialogue alone is done again, not answered from the state
        try:
            async with self._database.begin() as session:
                check = fence.get()
                if check is not None:
                    await check(session)
                await fsm.write(session, place, *entry, self._clock())
        finally:
            with_each_change.reset(token)
        self._keep(place, entry)

    def _keep(self, place: fsm.Key, entry: Entry) -> None:
        self._cache[place] = entry
        self._cache.move_to_end(place)
        self._users.setdefault(place[:2], set()).add(place[2])
        if len(self._cache) > CACHED:
            self.forget(next(iter(self._cache))[:2])

    def _place(self, key: StorageKey) -> fsm.Key:
        return self._account_of_bot[key.bot_id], key.chat_id, key.user_id
