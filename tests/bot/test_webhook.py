"""The webhook: only who knows the secret posts, and a post is answered once it is kept."""

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot import webhook
from bot.polling import ALLOWED
from bot.webhook import SECRET_HEADER, NoWebhookSecret
from tests.fakes import RecordingSession

SECRET = "秘密-secret"


@pytest.fixture
def kept() -> list[Any]:
    return []


@pytest.fixture
async def client(kept):
    async def receive(account_id: int, updates: list[Any]) -> None:
        kept.append((account_id, updates))

    app = web.Application()
    app.add_routes([webhook.route("webchat", 4, SECRET, receive)])
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client


async def post(client, body: bytes, secret: str | None = SECRET) -> int:
    headers = {} if secret is None else {SECRET_HEADER: secret}
    answer = await client.post("/webhook/webchat", data=body, headers=headers)
    return answer.status


async def test_an_update_with_the_secret_is_kept(client, kept):
    assert await post(client, b'{"update_id": 5}') == 200
    assert kept == [(4, [{"update_id": 5}])]


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1]])
async def test_without_the_secret_nothing_is_kept(client, kept, secret):
    assert await post(client, b'{"update_id": 5}', secret) == 401
    assert kept == []


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"{}", b'{"update_id": "5"}'])
async def test_what_is_no_update_is_refused(client, kept, body):
    assert await post(client, body) == 400
    assert kept == []


async def test_an_update_that_cannot_be_decoded_is_kept_all_the_same(client, kept):
    assert await post(client, b'{"update_id": 5, "x": "\\ud83d"}') == 200
    assert kept[0][1][0]["update_id"] == 5


async def test_what_could_not_be_kept_is_not_confirmed():
    async def receive(account_id: int, updates: list[Any]) -> None:
        raise OSError

    app = web.Application()
    app.add_routes([webhook.route("webchat", 4, SECRET, receive)])
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        assert await post(client, b'{"update_id": 5}') == 500


def test_a_webhook_without_a_secret_is_refused():
    with pytest.raises(NoWebhookSecret):
        webhook.route("webchat", 4, "", print)


async def test_the_server_is_told_the_place_the_secret_and_the_kinds():
    from aiogram import Bot

    session = RecordingSession()
    await webhook.announce(Bot("99:" + "x" * 35, session=session), "https://bridge.test", "city", "s" * 20)
    [call] = session.calls
    assert (call.url, call.secret_token) == ("https://bridge.test/webhook/city", "s" * 20)
    assert call.allowed_updates == ALLOWED
