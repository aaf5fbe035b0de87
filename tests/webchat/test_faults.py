"""The server fails as it is told, and only where faults are switched on; what each looks like on the wire."""

import asyncio
import time
from contextlib import suppress

import aiohttp
import pytest

from tests.webchat_server import OPERATOR_TOKEN, running_webchat

AS_OPERATOR = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}


class Stage:
    """A bot, a person before it, and a connection to the server."""

    def __init__(self, town, token, wang) -> None:
        self.town = town
        self.token = token
        self.wang = wang
        self.operator = town.operator

    async def send(self, text: str = "在吗", *, chat: int | None = None):
        wish = {"chat_id": chat or self.wang.id, "text": text}
        url = f"{self.town.origin}/bot{self.token}/sendMessage"
        async with self.town.http.post(url, json=wish) as response:
            return response.status, await response.read(), response.headers

    async def seen(self) -> list[str]:
        return [message["text"] for message in await self.wang.messages() if not message["outgoing"]]


@pytest.fixture
async def stage(tmp_path):
    async with running_webchat(tmp_path, faults=True) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        yield Stage(town, token, wang)


async def test_there_are_no_faults_where_they_are_not_switched_on(tmp_path):
    async with running_webchat(tmp_path) as town:
        for method in ("GET", "POST", "DELETE"):
            url = f"{town.origin}/operator/faults"
            async with town.http.request(method, url, headers=AS_OPERATOR, json={}) as response:
                assert response.status == 404
        async with town.http.get(f"{town.origin}/openapi.json") as response:
            assert "/operator/faults" not in (await response.json())["paths"]


async def test_faults_are_the_operators_and_documented(stage):
    for method, path in (("GET", ""), ("POST", ""), ("DELETE", ""), ("DELETE", "/1")):
        url = f"{stage.town.origin}/operator/faults{path}"
        async with stage.town.http.request(method, url, json={"fault": "error"}) as response:
            assert response.status == 401
    assert await stage.operator.faults() == []
    async with stage.town.http.get(f"{stage.town.origin}/openapi.json") as response:
        paths = (await response.json())["paths"]
    assert set(paths["/operator/faults"]) == {"get", "post", "delete"}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"fault": "earthquake"}, "unknown_fault"),
        ({"fault": "flood"}, "bad_parameter"),
        ({"fault": "flood", "retry_after": "long"}, "bad_parameter"),
        ({"fault": "error", "status": 200}, "bad_parameter"),
        ({"fault": "reset", "acted": 1}, "bad_parameter"),
        ({"fault": "latency", "mean": True}, "bad_parameter"),
        ({"fault": "error", "share": 2}, "bad_parameter"),
        ({"fault": "error", "chat_id": "everybody"}, "bad_parameter"),
        ({"fault": "error", "color": "red"}, "bad_parameter"),
        ({"fault": "error", "bot": "nobody_bot"}, "unknown_bot"),
        ({"fault": "moved", "to": 5}, "chat_id_needed"),
        ({"fault": "moved", "to": 5, "chat_id": 987}, "unknown_person"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(stage, rule, code):
    url = f"{stage.town.origin}/operator/faults"
    async with stage.town.http.post(url, headers=AS_OPERATOR, json=rule) as response:
        assert response.status in (400, 404)
        assert (await response.json())["error"]["code"] == code
    assert await stage.operator.faults() == []


async def test_a_rule_hits_its_bot_method_and_chat_so_many_times(stage):
    other = await stage.town.new_person("李明")
    await other.start()
    rule = await stage.operator.fault(
        "error", bot="tongdao_bot", method="sendMessage", chat_id=stage.wang.id, times=1
    )
    await stage.operator.fault("page", method="sendPhoto")
    assert [(await stage.send(chat=other.id))[0], (await stage.send())[0], (await stage.send())[0]] == [
        200,
        500,
        200,
    ]
    assert [each["met"] for each in await stage.operator.faults()] == [1, 0]
    await stage.operator.heal(rule)
    assert [each["fault"] for each in await stage.operator.faults()] == ["page"]
    await stage.operator.heal()
    assert await stage.operator.faults() == []


async def test_a_share_of_the_requests_is_hit(stage):
    await stage.operator.fault("error", share=0.0)
    assert (await stage.send())[0] == 200
    await stage.operator.heal()
    await stage.operator.fault("error", share=1.0)
    assert (await stage.send())[0] == 500


@pytest.mark.parametrize("acted", [False, True])
@pytest.mark.parametrize("fault", ["error", "page", "reset", "half", "stall"])
async def test_a_fault_lets_the_method_act_or_not(stage, fault, acted):
    more = {"seconds": 0.05} if fault == "stall" else {}
    await stage.operator.fault(fault, acted=acted, times=1, **more)
    with suppress(aiohttp.ClientError):
        await stage.send("在吗")
    assert await stage.seen() == (["在吗"] if acted else [])


@pytest.mark.parametrize(
    ("gently", "kind"), [(True, aiohttp.ServerDisconnectedError), (False, aiohttp.ClientOSError)]
)
async def test_a_connection_is_reset_or_ended(stage, gently, kind):
    await stage.operator.fault("reset", gently=gently)
    with pytest.raises(kind):
        await stage.send()


async def test_half_an_answer_promises_more_than_it_brings(stage):
    await stage.operator.fault("half")
    with pytest.raises(aiohttp.ClientPayloadError):
        await stage.send()


async def test_refusals_are_worded_as_the_bot_api_words_them(stage):
    await stage.operator.fault("flood", retry_after=7, times=1)
    status, body, headers = await stage.send()
    assert (status, headers["Retry-After"]) == (429, "7")
    assert b'"retry_after":7' in body
    await stage.operator.fault("page", status=503, times=1)
    status, body, headers = await stage.send()
    assert (status, headers["Content-Type"], body[:6]) == (503, "text/html; charset=utf-8", b"<html>")
    for fault, status, words in (
        ("blocked", 403, b"Forbidden: bot was blocked by the user"),
        ("deactivated", 403, b"Forbidden: user is deactivated"),
        ("unauthorized", 401, b"Unauthorized"),
    ):
        await stage.operator.fault(fault, times=1)
        found = await stage.send()
        assert (found[0], words in found[1]) == (status, True)
    assert await stage.seen() == []


async def test_latency_passes_a_request_on_to_the_next_rule(stage):
    await stage.operator.fault("latency", mean=0.06, spread=0.01)
    await stage.operator.fault("error", times=1)
    for expected in (500, 200):
        began = time.monotonic()
        assert (await stage.send())[0] == expected
        assert time.monotonic() - began >= 0.05


async def test_a_poll_is_hit_by_its_name_only(stage):
    url = f"{stage.town.origin}/bot{stage.token}/getUpdates"
    await stage.operator.fault("error")
    async with stage.town.http.get(url) as response:
        assert response.status == 200
    await stage.operator.fault("error", method="getUpdates")
    async with stage.town.http.get(url) as response:
        assert response.status == 500


async def test_a_chat_moves_with_all_that_is_in_it(stage):
    await stage.send("搬家以前")
    await stage.operator.fault("moved", chat_id=stage.wang.id, to=-1_000_123)
    status, body, _ = await stage.send()
    assert (status, b'"migrate_to_chat_id":-1000123' in body) == (400, True)
    assert (await stage.send("搬家以后", chat=-1_000_123))[0] == 200
    assert await stage.seen() == ["搬家以前", "搬家以后"]
    said = await stage.wang.say("我还在")
    assert (said["chat"]["id"], said["from"]["id"]) == (-1_000_123, -1_000_123)
    assert {each["chat"]["id"] for each in await stage.wang.messages()} == {-1_000_123}


async def test_the_server_stops_while_somebody_is_kept_waiting(tmp_path):
    async with running_webchat(tmp_path, faults=True) as town:
        token = await town.new_bot()
        await town.operator.fault("stall", seconds=30)
        url = f"{town.origin}/bot{token}/getMe"
        waiting = asyncio.create_task(town.http.get(url).__aenter__())
        await asyncio.sleep(0.05)
        began = time.monotonic()
    waiting.cancel()
    assert time.monotonic() - began < 5
