"""Albums and copies over both bulk clients, against our own chat server: what is sent, uploaded and promised."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.telegram import TelegramChannel
from domain.accounts import Address
from domain.delivery import NotSent, Outcome, Rejected, Sent, Unknown, Unreachable
from domain.messages import MESSAGE, Button, Content, Envelope, Media, Original
from tests.bot.test_channel_on_webchat import PIXEL
from tests.delivery_world import build, change, run_all, settle, start
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

    async def send(
        self,
        content: Content,
        chat: int | None = None,
        known_as: str | None = None,
        album_ids: tuple[str, ...] = (),
    ) -> Outcome:
        address = Address(1, chat or self.wang.id)
        return await self.channel.send(Envelope(address, content, album_ids=album_ids), known_as)

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
    again = await bridge.send(content, album_ids=first.album_ids)
    came = await bridge.came()
    assert [first.message_id, again.message_id] == [came[2]["message_id"], came[5]["message_id"]]
    assert again.album_ids == first.album_ids
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
        content = Content("十张", album=files)
        assert isinstance(await channel.send(Envelope(Address(1, wang.id), content), None), Sent)
        await channel.close()


@pytest.mark.slow_on_postgresql
async def test_an_albums_buttons_follow_with_its_words_as_one_delivery(bridge, database):
    async def photos(source_id: int, language: str) -> Content:
        return album(keyboard=BUTTONS)

    members = await settle(database, bridge.clock, 1)
    await change(database, "account_link", 1, chat_id=bridge.wang.id)
    delivery = await build(database, bridge.clock, bridge.channel)
    delivery.sources["notice"] = photos
    dispatch = await start(delivery, database, members)
    await run_all(delivery, database)
    came = await bridge.came()
    assert (await delivery.figures(dispatch)).sent == 1
    assert [message.get("caption") for message in came[:3]] == [None] * 3
    assert (came[3]["text"], came[3]["entities"]) == ("活动照片", list(BOLD))
    assert await bridge.wang.press("收到")


async def test_an_album_that_cannot_be_sent_says_why(bridge, tmp_path):
    await bridge.town.operator.fault("reset", method="sendMediaGroup", times=1)
    assert isinstance(await bridge.send(album()), Unknown)
    (tmp_path / "b").unlink()
    assert await bridge.send(album()) == NotSent("media_missing")
    (tmp_path / "b").write_bytes(b"no picture")
    assert isinstance(await bridge.send(album()), Rejected)
    assert await bridge.came() == []


async def test_what_was_given_to_the_account_is_copied_with_new_words_and_buttons(bridge):
    await bridge.wang.upload("document", "影片.mp4", PIXEL, caption="我的影片")
    given = (await bridge.wang.messages())[-1]
    content = Content("通知全文", BOLD, Media(MESSAGE, "", "film"), BUTTONS)
    known_as = Original(bridge.wang.id, given["message_id"]).known_as
    rule = await bridge.town.operator.fault("error", method="sendMessage")
    outcome = await bridge.send(content, known_as=known_as)
    copy = (await bridge.came())[-1]
    assert outcome == Sent(copy["message_id"])
    assert (copy["caption"], copy["caption_entities"]) == ("通知全文", list(BOLD))
    assert copy["document"]["file_name"] == "影片.mp4"
    assert await bridge.wang.press("收到")
    await bridge.town.operator.heal(rule)


async def test_of_what_cannot_be_copied_the_words_go_alone(bridge):
    content = Content("通知全文", media=Media(MESSAGE, "", "film"), keyboard=BUTTONS)
    lost = Original(bridge.wang.id, 987).known_as
    for known_as in (lost, Original(424_242, 1).known_as, None):
        outcome = await bridge.send(content, known_as=known_as)
        said = (await bridge.came())[-1]
        assert (outcome, said["text"]) == (Sent(said["message_id"]), "通知全文")
    copying = await bridge.town.operator.fault("error", method="copyMessage")
    assert isinstance(await bridge.send(content, known_as=lost), Sent)
    assert (await bridge.town.operator.faults())[0]["met"] == 0  # it is not asked for again
    await bridge.town.operator.heal(copying)
    gone = await bridge.send(content, chat=424_242, known_as=Original(bridge.wang.id, 1).known_as)
    assert gone == Unreachable("chat_not_found")
