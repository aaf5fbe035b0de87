"""The channel contract over real HTTP: what a server does ends as the outcome that TELEGRAM.md names."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.channels import aiogram_sender, answers, telegram
from bot.channels.aiogram_sender import AiogramChannel
from bot.channels.log import LogChannel
from bot.channels.telegram import TelegramChannel
from domain.accounts import Address
from domain.delivery import Busy, Moved, NotSent, Rejected, Sent, Unknown, Unreachable
from domain.messages import MESSAGE, Button, Content, Envelope, Media

TOKEN = "42:canary-token"
PLAIN = Content(text="大家好")


class Server:
    """A Bot API server that answers each call with what the test put into `reply`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.files: list[tuple[str, bytes]] = []
        self.connections: set[object] = set()
        self.reply: object = {"ok": True, "result": {"message_id": 7}}
        self.status = 200
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        form = await (request.json() if request.content_type == "application/json" else request.post())
        self.connections.add(request.transport)
        fields = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in form.items()
            if not isinstance(value, web.FileField)
        }
        for value in form.values():
            if isinstance(value, web.FileField):
                self.files.append((value.filename, value.file.read()))
        self.calls.append((request.match_info["method"], fields))
        if callable(self.reply):
            return await self.reply(request)
        if isinstance(self.reply, str):
            return web.Response(text=self.reply, status=self.status, content_type="text/html")
        return web.json_response(self.reply, status=self.status)

    def fails(self, status: int, description: str, **parameters: int) -> None:
        self.status = status
        self.reply = {"ok": False, "error_code": status, "description": description}
        if parameters:
            self.reply["parameters"] = parameters


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(params=[TelegramChannel, AiogramChannel], ids=["ptb", "aiogram"])
def client(request):
    return request.param


@pytest.fixture
async def channel(client, server, clock, tmp_path) -> AsyncIterator[TelegramChannel]:
    app = web.Application()
    app.router.add_post(f"/bot{TOKEN}/{{method}}", server.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    channel = build(client, f"http://127.0.0.1:{server.port}", clock, tmp_path)
    yield channel
    await channel.close()
    await runner.cleanup()


def build(client, url: str, clock, folder: Path, timeout: float = 10.0):
    return client(
        token=TOKEN, base_url=url, clock=clock, media_path=lambda digest: folder / digest, timeout=timeout
    )


def to(chat_id: int, content: Content = PLAIN) -> Envelope:
    return Envelope(Address(1, chat_id), content)


async def test_a_message_is_sent_with_its_entities_and_buttons(server, channel):
    content = Content(
        text="大家好",
        entities=({"type": "bold", "offset": 0, "length": 2},),
        keyboard=((Button("收到", data="ack:1"), Button("网页", url="https://example.org")),),
    )
    assert await channel.send(to(5, content), None) == Sent(7)
    method, fields = server.calls[0]
    assert method == "sendMessage"
    assert (fields["chat_id"], fields["text"]) == ("5", "大家好")
    assert json.loads(fields["entities"]) == [{"type": "bold", "offset": 0, "length": 2}]
    assert json.loads(fields["reply_markup"]) == {
        "inline_keyboard": [
            [{"text": "收到", "callback_data": "ack:1"}, {"text": "网页", "url": "https://example.org"}]
        ]
    }


@pytest.mark.parametrize(
    ("kind", "method", "known"),
    [
        ("photo", "sendPhoto", {"photo": [{"file_id": "small"}, {"file_id": "large"}]}),
        ("document", "sendDocument", {"document": {"file_id": "large"}}),
    ],
)
async def test_a_file_is_uploaded_once_and_known_by_its_id_after_that(
    server, channel, tmp_path, kind, method, known
):
    (tmp_path / "abc").write_bytes(b"picture")
    server.reply = {"ok": True, "result": {"message_id": 8, **known}}
    envelope = to(5, Content(text="看图", media=Media(kind, "图.png", "abc")))
    assert await channel.send(envelope, None) == Sent(8, "large")
    assert await channel.send(envelope, "large") == Sent(8, "large")
    assert server.files == [("图.png", b"picture")]
    assert [call[0] for call in server.calls] == [method, method]
    assert server.calls[0][1]["caption"] == "看图"
    assert server.calls[1][1][kind] == "large"


@pytest.mark.parametrize("paid", [True, False])
async def test_only_what_is_paid_asks_for_the_paid_broadcast(server, channel, tmp_path, paid):
    """https://core.telegram.org/bots/api#sendmessage, allow_paid_broadcast; the other methods have it too."""
    for name in ("abc", "def"):
        (tmp_path / name).write_bytes(name.encode())
    picture = Media("photo", "图.png", "abc")
    known = {"message_id": 8, "photo": [{"file_id": "large"}]}
    album = Content("活动照片", album=(picture, Media("photo", "二.png", "def")))
    for reply, content, file_id in (
        ({"message_id": 7}, PLAIN, None),
        ({"message_id": 7}, Content("大家好", media=Media(MESSAGE, "", "film")), "5/6"),
        (known, Content("看图", media=picture), None),
        (known, Content("看图", media=picture), "large"),
    ):
        server.reply = {"ok": True, "result": reply}
        assert isinstance(await channel.send(Envelope(Address(1, 5), content, paid), file_id), Sent)
    server.reply = {"ok": True, "result": [known, known]}
    assert isinstance(await channel.send(Envelope(Address(1, 5), album, paid), None), Sent)
    methods = ["sendMessage", "copyMessage", "sendPhoto", "sendPhoto", "sendMediaGroup"]
    assert [method for method, _ in server.calls] == methods
    asked = [fields.get("allow_paid_broadcast") for _, fields in server.calls]
    assert asked == ["true" if paid else None] * 5


async def test_a_missing_file_never_left_us(server, channel):
    envelope = to(5, Content(text="", media=Media("photo", "图.png", "absent")))
    assert await channel.send(envelope, None) == NotSent("media_missing")
    assert server.calls == []


async def test_one_connection_serves_many_messages(server, channel):
    for number in range(5):
        await channel.send(to(number), None)
    assert len(server.connections) == 1


async def test_a_refused_connection_never_left_us(client, clock, tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        channel = build(client, f"http://127.0.0.1:{held.getsockname()[1]}", clock, tmp_path)
        outcome = await channel.send(to(5), None)
    await channel.close()
    assert isinstance(outcome, NotSent)
    assert not outcome.account_dead


async def test_without_tls_or_a_way_through_the_proxy_it_never_left_us(
    client, server, channel, clock, tmp_path
):
    """The server speaks no TLS; as a proxy it refuses to let us through, or is not there."""
    port = server.port
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        closed = held.getsockname()[1]
        for proxy in (None, f"http://127.0.0.1:{port}", f"http://127.0.0.1:{closed}"):
            tls = client(
                token=TOKEN,
                base_url=f"https://127.0.0.1:{port}",
                clock=clock,
                media_path=tmp_path.joinpath,
                proxy=proxy,
            )
            outcome = await tls.send(to(5), None)
            await tls.close()
            assert isinstance(outcome, NotSent), proxy
            assert not outcome.account_dead
    assert server.calls == []


async def test_a_429_holds_the_account_for_as_long_as_it_says(server, channel, clock):
    server.fails(429, "Too Many Requests: retry after 7", retry_after=7)
    assert await channel.send(to(5), None) == Busy(clock() + timedelta(seconds=7))


async def test_a_429_without_a_figure_holds_for_a_second(server, channel, clock):
    server.status, server.reply = 429, "<html>slow down</html>"
    assert await channel.send(to(5), None) == Busy(clock() + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("status", "description", "reason"),
    [
        (403, "Forbidden: bot was blocked by the user", "blocked"),
        (403, "Forbidden: user is deactivated", "deactivated"),
        (403, "Forbidden: bot was kicked from the group chat", "kicked"),
        (403, "Forbidden: bot can't initiate conversation with a user", "forbidden"),
        (400, "Bad Request: chat not found", "chat_not_found"),
    ],
)
async def test_a_person_out_of_reach_is_unreachable(server, channel, status, description, reason):
    server.fails(status, description)
    assert await channel.send(to(5), None) == Unreachable(reason)


async def test_a_migrated_chat_has_moved(server, channel):
    server.fails(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100123)
    assert await channel.send(to(5), None) == Moved(-100123)


@pytest.mark.parametrize(
    ("status", "description"),
    [(400, "Bad Request: message text is empty"), (413, "Request Entity Too Large")],
)
async def test_a_message_the_server_never_takes_is_rejected(server, channel, status, description):
    server.fails(status, description)
    outcome = await channel.send(to(5), None)
    assert isinstance(outcome, Rejected)
    assert description.rpartition(":")[2].strip().lower() in outcome.reason.lower()


async def test_a_refusals_words_are_kept_in_one_line_without_what_no_database_takes(server, channel):
    server.fails(400, "Bad Request: text \x00 must\r\n\tbe \x1b[1m" + "good " * 100)
    outcome = await channel.send(to(5), None)
    assert outcome.reason.lower().startswith("text must be [1mgood good")
    assert len(outcome.reason) <= 120


async def test_numbers_beyond_any_messengers_are_no_answer(server, channel):
    server.reply = {"ok": True, "result": {"message_id": 2**63}}
    assert await channel.send(to(5), None) == Unknown("bad_reply")
    server.fails(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-(2**63))
    assert await channel.send(to(5), None) == Unknown("bad_reply")


@pytest.mark.parametrize(("said", "held"), [(10**9, 86_400), (-5, 0), (1e300, 86_400)])
async def test_a_429_holds_for_a_day_at_most(server, channel, clock, said, held):
    server.fails(429, "Too Many Requests", retry_after=said)
    assert await channel.send(to(5), None) == Busy(clock() + timedelta(seconds=held))


@pytest.mark.parametrize(("status", "description"), [(401, "Unauthorized"), (404, "Not Found")])
async def test_a_refused_token_means_the_account_is_dead(server, channel, status, description):
    server.fails(status, description)
    assert await channel.send(to(5), None) == NotSent("unauthorized", account_dead=True)


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_5xx_was_perhaps_acted_upon(server, channel, status):
    server.fails(status, "Internal Server Error")
    assert isinstance(await channel.send(to(5), None), Unknown)


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404])
async def test_a_page_that_is_no_answer_was_perhaps_acted_upon(server, channel, status):
    server.status, server.reply = status, "<html>proxy</html>"
    assert isinstance(await channel.send(to(5), None), Unknown)


@pytest.mark.parametrize("status", [400, 403, 500])
async def test_a_gateways_answer_is_not_the_servers(server, channel, status):
    server.status, server.reply = status, {"ok": False, "message": "Forbidden"}
    assert await channel.send(to(5), None) == Unknown("bad_reply" if status != 500 else "500")


async def test_an_answer_without_a_message_was_perhaps_acted_upon(server, channel):
    server.reply = {"ok": True, "result": True}
    assert await channel.send(to(5), None) == Unknown("bad_reply")


async def test_a_stall_was_perhaps_acted_upon(server, channel, client, clock, tmp_path):
    async def stall(request: web.Request) -> web.Response:
        await asyncio.sleep(0.3)
        return web.Response()

    server.reply = stall
    impatient = build(client, f"http://127.0.0.1:{server.port}", clock, tmp_path, timeout=0.1)
    assert isinstance(await impatient.send(to(5), None), Unknown)
    await impatient.close()


async def test_an_answer_that_drips_was_perhaps_acted_upon_and_is_not_waited_for_without_end(
    server, channel, client, clock, tmp_path
):
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while request.transport is not None and not request.transport.is_closing():
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    (tmp_path / "abc").write_bytes(b"picture")
    server.reply = drip
    impatient = build(client, f"http://127.0.0.1:{server.port}", clock, tmp_path, timeout=0.2)
    async with asyncio.timeout(5):
        assert isinstance(await impatient.send(to(5), None), Unknown)
        assert isinstance(
            await impatient.send(to(5, Content("", media=Media("photo", "图.png", "abc"))), None), Unknown
        )
    await impatient.close()


def test_an_upload_has_the_time_that_its_size_takes_on_a_slow_line():
    assert [answers.longest(20.0, size) for size in (0, 2**20, 10 * 50 * 2**20)] == [20.0, 36.0, 920.0]


async def test_a_reset_after_the_request_left_was_perhaps_acted_upon(server, channel):
    async def reset(request: web.Request) -> web.Response:
        request.transport.abort()
        return web.Response()

    server.reply = reset
    assert isinstance(await channel.send(to(5), None), Unknown)


async def test_half_a_reply_was_perhaps_acted_upon(server, channel):
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"ok": tr')
        request.transport.abort()
        return response

    server.reply = half
    assert isinstance(await channel.send(to(5), None), Unknown)


async def test_no_outcome_and_no_log_names_the_token(server, channel, caplog):
    caplog.set_level("DEBUG")
    outcomes = []
    for reply in ("<html>", {"ok": False}):
        server.reply = reply
        outcomes.append(await channel.send(to(5), None))
    assert TOKEN not in repr(outcomes) + caplog.text


async def test_the_log_channel_calls_everything_sent():
    channel = LogChannel()
    assert await channel.send(to(5), None) == Sent(1)
    assert await channel.send(to(6, Content("", media=Media("photo", "a", "d"))), None) == Sent(2, "d")
    await channel.close()


async def test_the_name_of_the_server_is_looked_up_every_five_minutes_whatever_connections_are_opened(
    client, server, channel, clock, tmp_path, monkeypatch
):
    """By itself aiohttp looks it up every ten seconds, which a notice that goes out waits for."""
    asked = []

    async def look_up(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        asked.append(host)
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET}
        return [{**found, "proto": 0, "flags": socket.AI_NUMERICHOST}]

    monkeypatch.setattr("aiohttp.resolver.DefaultResolver.resolve", look_up)
    named = build(client, f"http://chat.test:{server.port}", clock, tmp_path)

    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(0.1)
        return web.json_response({"ok": True, "result": {"message_id": 7}})

    server.reply = slow
    said = []
    for passed in (0, 290, 310):  # seconds: none of these keeps its connections for the next
        monkeypatch.setattr("aiohttp.connector.monotonic", lambda passed=passed: time.monotonic() + passed)
        sent = await asyncio.gather(*(named.send(to(number), None) for number in range(3)))
        said.append((sent, len(server.connections), len(asked)))
    await named.close()
    assert said == [([Sent(7)] * 3, 3, 1), ([Sent(7)] * 3, 6, 1), ([Sent(7)] * 3, 9, 2)]


async def test_what_a_notice_says_is_encoded_once_and_not_for_each_recipient(server, channel, monkeypatch):
    """To encode Chinese anew for each costs a fifth of the sending."""
    made = []

    def counted(make):
        def make_and_count(content: Content) -> object:
            made.append(content.text)
            return make(content)

        return make_and_count

    monkeypatch.setattr(telegram, "_prepared", counted(telegram._prepared))
    monkeypatch.setattr(aiogram_sender, "_method_of", counted(aiogram_sender._method_of))
    notice, other = (
        Content(text=text, keyboard=((Button(text="收到", data="x"),),)) for text in ("甲", "乙")
    )
    for number in range(20):
        for content in (notice, other):
            assert await channel.send(to(number, content), None) == Sent(7)
    assert sorted(made) == ["乙", "甲"]
    said = [(int(fields["chat_id"]), fields["text"]) for _, fields in server.calls]
    assert said == [(number, text) for number in range(20) for text in ("甲", "乙")]
