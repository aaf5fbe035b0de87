"""Our own chat server as an account: its operator token and the bot's token, kept in the data folder."""

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import SecretStr

from bot.settings import WEBCHAT, AccountSettings, Settings
from webchat.config import WebchatConfig

if TYPE_CHECKING:
    from webchat.town import Town

BOT_NAME = "甬城通道"
BOT_USERNAME = "tongdao_bot"
CREATED = 201
CONFLICT = 409


class WebchatRefused(Exception):  # noqa: N818 - a fact
    """The chat server refuses an operator's request; its answer is in the message."""


class WebchatAccountLost(Exception):  # noqa: N818 - a fact
    """The chat server knows our bot, but its token in webchat-bot.json is gone or damaged: restore it, or register another with `tongdao webchat new-bot`."""


class Operator:
    """The operator's side of the chat server, over HTTP."""

    def __init__(self, http: aiohttp.ClientSession, origin: str, token: str) -> None:
        self._http = http
        self._origin = origin
        self._headers = {"Authorization": f"Bearer {token}"}

    async def new_bot(self, name: str, username: str) -> dict[str, Any] | None:
        """Register a bot; `None` when the username is taken."""
        status, answer = await self._post("/operator/bots", {"name": name, "username": username})
        return None if status == CONFLICT else answer

    async def put_people(self, people: list[dict[str, Any]]) -> None:
        await self._post("/operator/people", people)

    async def sign_in_link(self, person_id: int, **fields: Any) -> str:
        _, answer = await self._post(f"/operator/people/{person_id}/sign-in-links", fields)
        return str(answer["url"])

    async def _post(self, path: str, body: Any) -> tuple[int, dict[str, Any]]:
        async with self._http.post(self._origin + path, json=body, headers=self._headers) as response:
            answer = await response.json()
            if response.status not in (CREATED, CONFLICT):
                raise WebchatRefused(answer.get("error", {}).get("code", str(response.status)))
            return response.status, answer


def operator_token(settings: Settings) -> str:
    """Return the operator's token: from the settings, or one of our own made at the first start."""
    given = settings.webchat_operator_token.get_secret_value()
    return given or _kept(settings.data_dir / "webchat-operator-token", lambda: secrets.token_urlsafe(32))


async def ensure(settings: Settings, operator: Operator, base_url: str) -> AccountSettings:
    """Return the account of our own chat server; its bot is registered at the first start."""
    path = settings.data_dir / "webchat-bot.json"
    if not path.exists():
        made = await operator.new_bot(BOT_NAME, BOT_USERNAME)
        if made is None:
            raise WebchatAccountLost
        _write(path, json.dumps({"username": made["username"], "token": made["token"]}))
    try:
        token = json.loads(path.read_text())["token"]
    except (ValueError, KeyError, TypeError):
        raise WebchatAccountLost from None
    return AccountSettings(
        name=WEBCHAT,
        base_url=base_url,
        token=SecretStr(token),
        deep_link_template=f"{settings.webchat_url}/{{bot}}?start={{payload}}",
    )


def config_of(settings: Settings) -> WebchatConfig:
    """Translate the settings for the chat server."""
    return WebchatConfig(
        data_dir=settings.data_dir,
        public_url=settings.webchat_url,
        operator_token=operator_token(settings),
        flood_limits=settings.webchat_flood_limits,
        faults=settings.webchat_faults,
        trusted_proxies=settings.trusted_proxies,
    )


async def register(settings: Settings, name: str, username: str) -> dict[str, Any] | None:
    """Register a bot with the running server, or in its store while it does not run; `None` if the name is taken."""
    origin = f"http://127.0.0.1:{settings.webchat_port}"
    async with aiohttp.ClientSession() as http:
        try:
            return await Operator(http, origin, operator_token(settings)).new_bot(name, username)
        except aiohttp.ClientConnectionError:
            return _register_in_store(settings, name, username)


def _register_in_store(settings: Settings, name: str, username: str) -> dict[str, Any] | None:
    from webchat.errors import PeopleError

    with _store(settings) as town:
        try:
            number, token = town.new_bot(name, username)
        except PeopleError as error:
            if error.status == CONFLICT:
                return None
            raise WebchatRefused(error.code) from None
    return {"id": number, "username": username, "token": token}


def first_person(settings: Settings, name: str) -> tuple[int, str]:
    """Create a person in the chat server's store, while it does not run; returns their id and a sign-in link."""
    from webchat.guests import Guests

    with _store(settings) as town:
        guests = Guests(town)
        number = guests.put_person({"name": name})
        link = guests.sign_in_link(number, {"bot": BOT_USERNAME, "start": ""})
    return number, str(link["url"])


@contextlib.contextmanager
def _store(settings: Settings) -> Iterator["Town"]:
    from webchat.town import Town

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    town = Town(config_of(settings))
    try:
        yield town
    finally:
        town.store.close()


def _kept(path: Path, make: Any) -> str:
    if not path.exists():
        _write(path, make())
    return path.read_text().strip()


def _write(path: Path, text: str) -> None:
    """Write a secret for the owner's eyes only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
