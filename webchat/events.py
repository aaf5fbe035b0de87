"""Server-Sent Events to a person's pages: what happened after a number, then live, with a heartbeat."""

import asyncio
import contextlib
from collections.abc import Callable

from aiohttp import web

from webchat.store import Row
from webchat.town import Town

HEARTBEAT = 15.0  # seconds
BATCH = 200


class Events:
    def __init__(
        self, town: Town, person_key: web.RequestKey[Row], signed_in: Callable[[web.Request], Row | None]
    ) -> None:
        self._town = town
        self._person_key = person_key
        self._signed_in = signed_in

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send all events after `after` (or Last-Event-ID), then wait for more, until the session ends."""
        person_id = request[self._person_key]["id"]
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        last = await self._begin(request, response, person_id)
        with contextlib.suppress(ConnectionResetError):
            while not self._town.closing and self._signed_in(request):
                last = await self._next(response, person_id, last)
        return response

    async def _begin(self, request: web.Request, response: web.StreamResponse, person_id: int) -> int:
        newest = self._town.store.one("SELECT max(id) AS id FROM event WHERE person_id = ?", person_id)
        oldest = self._town.store.one("SELECT min(id) AS id FROM event WHERE person_id = ?", person_id)
        latest = (newest["id"] if newest else None) or 0
        asked = request.headers.get("Last-Event-ID") or request.query.get("after")
        if asked is None or not asked.isdigit():
            await response.write(f"id: {latest}\n: hello\n\n".encode())
            return latest
        first = (oldest["id"] if oldest else None) or 0
        if int(asked) > latest or int(asked) < first - 1:
            await response.write(f'id: {latest}\ndata: {{"type":"reset"}}\n\n'.encode())
            return latest
        await response.write(b": hello\n\n")
        return int(asked)

    async def _next(self, response: web.StreamResponse, person_id: int, last: int) -> int:
        key = ("person", person_id)
        bell = self._town.wakeups.bell(key)
        try:
            rows = self._town.store.all(
                "SELECT id, body FROM event WHERE person_id = ? AND id > ? ORDER BY id LIMIT ?",
                person_id,
                last,
                BATCH,
            )
            for row in rows:
                await response.write(f"id: {row['id']}\ndata: {row['body']}\n\n".encode())
                last = row["id"]
            if rows:
                return last
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await bell
            except TimeoutError:
                await response.write(b": still here\n\n")
        finally:
            self._town.wakeups.drop(key, bell)
        return last
