"""Albums and copies over both bulk clients, against our own chat server: what is sent, uploaded and promised."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bot.channels import albums
from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.telegram import TelegramChannel
from domain.accounts import Address
from domain.delivery import NotSent, Outcome, Rejected, Sent, Unknown, Unreachable
from domain.messages import Button, Content, Envelope, Media, Original
from tests.bot.test_channel_on_webchat import PIXEL
from tests.webchat_client import Person
from tests.webchat_server import RunningWebchat, running_webchat

BOLD = ({"type": "bold", "offset": 0, "length": 2},)
BUTTONS = ((Button("收到", data="ack:1"),),)


@dataclass
class Bridge:
    town: RunningWebchat
    channel: Any
    wang: Person
    clock: Any

    async def send(self, content: Content, chat: int | None = None) -> Outcome:
        return await self.channel.send(Envelope(Address(1, chat or self.wang.id), content), None)

    async def came(self) -> list[dict[str, Any]]:
        return [message for message in await self.wang.messages() if not message["outgoing"]]


@pytest.fixture(
    params=[
        pytest.param(TelegramChannel, id="ptb"),
        pytest.param(
            AiogramChannel, id="aiogram", marks=pytest.mark.slow
        ),  # `tests/bot/test_channels.py` has both
    ]
)
async def bridge(request, tmp_path, clock) -> AsyncIterator[Bridge]:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(PIXEL + name.encode())
    async with running_webchat(tmp_path / "webchat", faults=True) as town:
        channel = request.param(
            token=await town.new_bot(), base_url=town.origin, clock=clock, media_path=tmp_path.joinpath
        )
        wang = await town.new_person("王芳")
        await wang.start()
        yield Bridge(town, channel, wang, clock)
        await channel.close()


def album(kind: str = "photo", **more: Any) -> Content:
    files = tuple(Media(kind, f"图{name}.png", name) for name in ("a", "b", "c"))
    return Content(**{"text": "活动照片", "entities": BOLD, "album": files, **more})


@pytest.mark.parametrize("kind", ["photo", "document"])
async def test_an_album_is_uploaded_once_and_its_words_stand_under_the_first(bridge, tmp_path, kind):
    content = album(kind)
    first = await bridge.send(content)
    for name in ("a", "b", "c"):
        (tmp_path / name).unlink()
    again = await bridge.send(content)
    came = await bridge.came()
    assert [first, again] == [Sent(came[2]["message_id"]), Sent(came[5]["message_id"])]
    assert [message.get("caption") for message in came] == ["活动照片", None, None] * 2
    assert came[0]["caption_entities"] == list(BOLD)
    assert len({message["media_group_id"] for message in came}) == 2
    ids = [str(message[kind]) for message in came]
    assert ids[:3] == ids[3:]


async def test_an_album_of_ten_passes_the_flood_limits(tmp_path, clock):
    files = tuple(Media("photo", f"{n}.png", str(n)) for n in range(10))
    for media in files:
        (tmp_path / media.digest).write_bytes(PIXEL + media.digest.encode())
    async with running_webchat(tmp_path / "webchat", flood_limits=True) as town:
        channel = TelegramChannel(
            token=await town.new_bot(), base_url=town.origin, clock=clock, media_path=tmp_path.joinpath
        )
        wang = await town.new_person("王芳")
        await wang.start()
        content = Content("十张", album=files, keyboard=BUTTONS)
        assert isinstance(await channel.send(Envelope(Address(1, wang.id), content), None), Sent)
        await channel.close()


async def test_an_albums_buttons_follow_with_its_words_as_one_delivery(bridge):
    outcome = await bridge.send(album(keyboard=BUTTONS))
    came = await bridge.came()
    assert outcome == Sent(came[3]["message_id"])
    assert [message.get("caption") for message in came[:3]] == [None] * 3
    assert (came[3]["text"], came[3]["entities"]) == ("活动照片", list(BOLD))
    assert await bridge.wang.press("收到")


@pytest.mark.parametrize(
    ("rule", "outcome"),
    [
        ({"fault": "reset"}, Unknown),
        ({"fault": "unauthorized"}, Unknown),
        ({"fault": "flood", "retry_after": 60}, Unknown),
        ({"fault": "blocked"}, Unreachable),
    ],
)
async def test_an_album_without_its_words_never_comes_twice(bridge, rule, outcome):
    """What may be tried again elsewhere is unknown here: another try would send the album once more."""
    await bridge.town.operator.fault(method="sendMessage", **rule)
    assert isinstance(await bridge.send(album(keyboard=BUTTONS)), outcome)
    assert len(await bridge.came()) == 3


async def test_the_words_wait_for_a_server_that_wants_a_moment(bridge, monkeypatch):
    slept = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(albums.asyncio, "sleep", nap)
    await bridge.town.operator.fault("flood", method="sendMessage", retry_after=3, times=1)
    assert isinstance(await bridge.send(album(keyboard=BUTTONS)), Sent)
    assert timedelta(seconds=3).total_seconds() in slept
    assert len(await bridge.came()) == 4


async def test_an_album_that_cannot_be_sent_says_why(bridge, tmp_path):
    await bridge.town.operator.fault("reset", method="sendMediaGroup", times=1)
    assert isinstance(await bridge.send(album()), Unknown)
    (tmp_path / "b").unlink()
    assert await bridge.send(album()) == NotSent("media_missing")
    (tmp_path / "b").write_bytes(b"no picture")
    assert isinstance(await bridge.send(album()), Rejected)
    assert await bridge.came() == []


async def test_a_copy_is_a_small_request_with_its_own_buttons(bridge):
    original = await bridge.send(Content("通知全文", entities=BOLD))
    assert isinstance(original, Sent)
    content = Content(
        "通知全文",
        BOLD,
        keyboard=BUTTONS,
        copy_of=Original(1, bridge.wang.id, original.message_id),
    )
    rule = await bridge.town.operator.fault("error", method="sendMessage")
    outcome = await bridge.send(content)
    came = await bridge.came()
    assert outcome == Sent(came[-1]["message_id"])
    assert (came[-1]["text"], came[-1]["entities"]) == ("通知全文", list(BOLD))
    assert await bridge.wang.press("收到")
    await bridge.town.operator.heal(rule)


async def test_what_cannot_be_copied_is_sent_in_full(bridge):
    for original in (Original(1, bridge.wang.id, 987), Original(1, 424_242, 1), Original(2, 1, 1)):
        outcome = await bridge.send(Content("通知全文", copy_of=original))
        assert outcome == Sent((await bridge.came())[-1]["message_id"])
    copying = await bridge.town.operator.fault("error", method="copyMessage")
    assert isinstance(await bridge.send(Content("再来", copy_of=Original(1, bridge.wang.id, 987))), Sent)
    assert (await bridge.town.operator.faults())[0]["met"] == 0  # it is not asked for again
    await bridge.town.operator.heal(copying)
    assert await bridge.send(
        Content("在吗", copy_of=Original(1, bridge.wang.id, 1)), chat=424_242
    ) == Unreachable("chat_not_found")
