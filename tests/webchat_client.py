"""People and operators of the chat server, over its documented HTTP API: what tests and load drivers are."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Self

import aiohttp

Message = dict[str, Any]


class Operator:
    """Creates bots, people and sign-in links."""

    def __init__(self, http: aiohttp.ClientSession, origin: str, token: str) -> None:
        self._http = http
        self._origin = origin
        self._headers = {"Authorization": f"Bearer {token}"}

    async def new_bot(self, name: str, username: str) -> dict[str, Any]:
        return await self._post("/operator/bots", {"name": name, "username": username})

    async def put_person(self, name: str, **fields: Any) -> int:
        person_id: int = (await self._post("/operator/people", {"name": name, **fields}))["id"]
        return person_id

    async def put_people(self, people: list[dict[str, Any]]) -> list[int]:
        ids: list[int] = (await self._post("/operator/people", people))["ids"]
        return ids

    async def sign_in_link(self, person_id: int, **fields: Any) -> str:
        link = await self._post(f"/operator/people/{person_id}/sign-in-links", fields)
        url: str = link["url"]
        return url

    async def fault(self, fault: str, **fields: Any) -> int:
        """Let the server fail from now on, as `docs/webchat.md` says; returns the rule's id."""
        ids: list[int] = (await self._post("/operator/faults", {"fault": fault, **fields}))["ids"]
        return ids[0]

    async def faults(self) -> list[dict[str, Any]]:
        """Return the rules in force, with how often each was met."""
        return (await self._call("GET", "/operator/faults"))["faults"]  # type: ignore[no-any-return]

    async def heal(self, rule: int | None = None) -> None:
        """Drop one rule, or all."""
        await self._call("DELETE", "/operator/faults" + ("" if rule is None else f"/{rule}"))

    async def _post(self, path: str, body: Any) -> dict[str, Any]:
        return await self._call("POST", path, body)

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        async with self._http.request(
            method, self._origin + path, json=body, headers=self._headers
        ) as response:
            assert response.status < 300, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer


class Person:
    """One signed-in person in one chat with a bot."""

    def __init__(
        self, http: aiohttp.ClientSession, origin: str, token: str, person_id: int, bot: str
    ) -> None:
        self._http = http
        self._origin = origin
        self._headers = {"Authorization": f"Bearer {token}"}
        self.id = person_id
        self._chat = f"/api/chats/{bot}"

    @classmethod
    async def sign_in(cls, http: aiohttp.ClientSession, origin: str, url: str, bot: str) -> Self:
        """Use a one-time link."""
        code = url.rpartition("/in/")[2]
        return await cls._admit(http, origin, "/api/session", {"code": code}, bot)

    @classmethod
    async def join(cls, http: aiohttp.ClientSession, origin: str, name: str, bot: str, start: str) -> Self:
        """Arrive by an invitation link, as a newcomer."""
        wish = {"name": name, "bot": bot, "start": start, "language": "zh"}
        person = await cls._admit(http, origin, "/api/join", wish, bot)
        await person.start(start)
        return person

    @classmethod
    async def _admit(
        cls, http: aiohttp.ClientSession, origin: str, path: str, wish: dict[str, Any], bot: str
    ) -> Self:
        async with http.post(origin + path, json=wish, headers={"X-Webchat": "1"}) as response:
            assert response.status == 200, await response.text()
            admitted = await response.json()
        http.cookie_jar.clear()
        return cls(http, origin, admitted["token"], admitted["person"]["id"], bot)

    async def say(self, text: str) -> Message:
        return (await self.call("POST", "/messages", {"text": text}))["message"]  # type: ignore[no-any-return]

    async def start(self, payload: str = "") -> Message:
        return (await self.call("POST", "/start", {"payload": payload}))["message"]  # type: ignore[no-any-return]

    async def share_contact(self) -> Message:
        return (await self.call("POST", "/messages", {"contact": True}))["message"]  # type: ignore[no-any-return]

    async def upload(self, kind: str, name: str, body: bytes, caption: str = "", album: str = "") -> Message:
        form = aiohttp.FormData({"kind": kind, "caption": caption, "album": album}, quote_fields=False)
        form.add_field("file", body, filename=name)
        async with self._http.post(
            self._origin + self._chat + "/messages", data=form, headers=self._headers
        ) as response:
            assert response.status == 200, await response.text()
            return (await response.json())["message"]  # type: ignore[no-any-return]

    async def press(self, text: str) -> str:
        """Press the newest inline button with this label (or one that contains it); returns the query's id."""
        for message in reversed(await self.messages()):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if text in button["text"] and "callback_data" in button:
                        wish = {"message_id": message["message_id"], "data": button["callback_data"]}
                        return (await self.call("POST", "/press", wish))["callback_query_id"]  # type: ignore[no-any-return]
        msg = f"no button {text!r} in {[text_of(m) for m in await self.messages()]}"
        raise AssertionError(msg)

    async def block(self) -> None:
        await self.call("POST", "/block", {})

    async def unblock(self) -> None:
        await self.call("POST", "/unblock", {})

    async def messages(self, limit: int = 50) -> list[Message]:
        return (await self.call("GET", f"/messages?limit={limit}"))["messages"]  # type: ignore[no-any-return]

    async def wait(self, seen: Callable[[Message], bool] | str, seconds: float = 15.0) -> Message:
        """Wait until a message of the bot's satisfies `seen` (or contains the text), and return the newest such."""
        wanted = seen if callable(seen) else lambda message: seen in text_of(message)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            messages = await self.messages()
            for message in reversed(messages):
                if not message["outgoing"] and wanted(message):
                    return message
            await asyncio.sleep(0.05)
        msg = f"{seen!r} did not come; there is {[text_of(m)[:200] for m in messages]}"
        raise AssertionError(msg)

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        async with self._http.request(
            method, self._origin + self._chat + path, json=body, headers=self._headers
        ) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer


def text_of(message: Message) -> str:
    text: str = message.get("text") or message.get("caption") or ""
    return text
