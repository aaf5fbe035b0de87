"""An account behind an HTTP proxy: answers and deliveries both go through it, and nothing goes around it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from pydantic import SecretStr, ValidationError

from bot import accounts
from bot.settings import AccountSettings
from domain.accounts import Address
from domain.delivery import Sent
from domain.messages import Content, Envelope


@dataclass
class Proxy:
    """Answers in the place of a messenger that cannot be reached otherwise."""

    address: str = ""
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.asked.append(str(request.url))
        user = {"id": 42, "is_bot": True, "first_name": "通道"}
        return web.json_response({"ok": True, "result": {**user, "message_id": 7}})


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    made = Proxy()
    runner = web.ServerRunner(web.Server(made.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.mark.slow_on_postgresql
@pytest.mark.parametrize("client", ["ptb", "aiogram"])
async def test_an_account_speaks_through_its_proxy(proxy, client, database, clock, tmp_path):
    settings = AccountSettings(
        name="far",
        base_url="http://messenger.invalid",
        token=SecretStr("42:secret"),
        proxy=proxy.address,
        client=client,
    )
    opened = await accounts.open_all([settings], database=database, clock=clock, media_path=tmp_path.joinpath)
    (account,) = opened.values()
    assert (await account.bot.get_me()).id == 42
    assert await account.channel.send(Envelope(Address(account.id, 5), Content("在吗")), None) == Sent(7)
    await account.close()
    assert proxy.asked == [
        "http://messenger.invalid/bot42:secret/getMe",
        "http://messenger.invalid/bot42:secret/sendMessage",
    ]


def test_a_proxy_that_no_client_speaks_to_is_refused():
    with pytest.raises(ValidationError, match="proxy"):
        AccountSettings(name="a", base_url="https://x", token=SecretStr("1:a"), proxy="socks5://127.0.0.1")
