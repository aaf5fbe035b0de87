"""The bulk channel against our own chat server: what it sends is what a person sees."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.telegram import TelegramChannel
from domain.accounts import Address
from domain.delivery import Busy, NotSent, Outcome, Rejected, Sent, Unreachable
from domain.messages import Button, Content, Envelope, Media
from tests.webchat_client import Person
from tests.webchat_server import RunningWebchat, running_webchat

# The smallest PNG there is: one pixel.
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478da63fcffff3f0300050001"
    "5a4a2d560000000049454e44ae426082"
)


class Bridge:
    """A bot's channel and a person who started it."""

    def __init__(self, town: RunningWebchat, channel: TelegramChannel, wang: Person) -> None:
        self.town = town
        self.channel = channel
        self.wang = wang

    async def send(self, content: Content, *, chat: int | None = None, file_id: str | None = None) -> Outcome:
        return await self.channel.send(Envelope(Address(1, chat or self.wang.id), content), file_id)


@pytest.fixture(
    params=[
        pytest.param(TelegramChannel, id="ptb"),
        pytest.param(
            AiogramChannel, id="aiogram", marks=pytest.mark.slow
        ),  # `tests/bot/test_channels.py` has both
    ]
)
def client(request):
    return request.param


@pytest.fixture
async def bridge(client, tmp_path, clock) -> AsyncIterator[Bridge]:
    async with running_webchat(tmp_path / "webchat", flood_limits=True) as town:
        channel = build(client, await town.new_bot(), town, clock, tmp_path)
        wang = await town.new_person("王芳")
        await wang.start()
        yield Bridge(town, channel, wang)
        await channel.close()


def build(client, token: str, town: RunningWebchat, clock, folder: Path):
    return client(token=token, base_url=town.origin, clock=clock, media_path=lambda digest: folder / digest)


async def test_a_person_sees_the_text_its_form_and_its_buttons(bridge):
    content = Content(
        text="重要通知",
        entities=({"type": "bold", "offset": 0, "length": 2},),
        keyboard=((Button("收到", data="ack:1"),),),
    )
    outcome = await bridge.send(content)
    seen = await bridge.wang.wait("重要通知")
    assert outcome == Sent(seen["message_id"])
    assert seen["entities"] == [{"type": "bold", "offset": 0, "length": 2}]
    assert seen["reply_markup"]["inline_keyboard"][0][0]["text"] == "收到"
    assert await bridge.wang.press("收到")


@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_a_file_goes_up_once_and_again_by_its_id(bridge, tmp_path, kind):
    (tmp_path / "abc").write_bytes(PIXEL)
    content = Content(text="看图", media=Media(kind, "图.png", "abc"))
    first = await bridge.send(content)
    assert isinstance(first, Sent)
    (tmp_path / "abc").unlink()
    again = await bridge.send(content, file_id=first.file_id)
    assert isinstance(again, Sent)
    seen = await bridge.wang.wait(lambda message: message["message_id"] == again.message_id)
    assert seen["caption"] == "看图"
    assert kind in seen


async def test_who_blocked_the_bot_is_unreachable_until_they_return(bridge):
    await bridge.wang.block()
    assert await bridge.send(Content("在吗")) == Unreachable("blocked")
    await bridge.wang.unblock()
    assert isinstance(await bridge.send(Content("在吗")), Sent)


async def test_a_chat_that_is_not_there_is_unreachable(bridge):
    assert await bridge.send(Content("在吗"), chat=987654) == Unreachable("chat_not_found")


async def test_an_empty_text_is_rejected(bridge):
    outcome = await bridge.send(Content(""))
    assert isinstance(outcome, Rejected)
    assert "empty" in outcome.reason


async def test_a_flood_is_told_to_wait(bridge, clock):
    outcomes = [await bridge.send(Content(f"第{n}条")) for n in range(10)]
    assert any(isinstance(outcome, Busy) and outcome.retry_at > clock() for outcome in outcomes)


async def test_a_wrong_token_means_the_account_is_dead(client, bridge, clock, tmp_path):
    channel = build(client, "1:wrong", bridge.town, clock, tmp_path)
    outcome = await channel.send(Envelope(Address(1, bridge.wang.id), Content("在吗")), None)
    await channel.close()
    assert outcome == NotSent("unauthorized", account_dead=True)
