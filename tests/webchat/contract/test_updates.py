"""Updates as the Bot API promises them: polling, taps, contacts, presence, webhooks, commands, limits."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.webchat.contract.clients import Refused
from tests.webchat_server import running_webchat

pytestmark = pytest.mark.slow


async def fetch(client: Any, **fields: Any) -> list[dict[str, Any]]:
    return await client.call("get_updates", **{"timeout": 0, **fields})


async def drained(client: Any) -> int:
    """Confirm everything so far; returns the next offset."""
    updates = await fetch(client)
    offset = updates[-1]["update_id"] + 1 if updates else 0
    if updates:
        assert await fetch(client, offset=offset) == []
    return offset


async def test_an_update_stays_until_a_higher_offset_confirms_it(client, wang):
    # https://core.telegram.org/bots/api#getupdates: offset
    await drained(client)
    await wang.say("一")
    await wang.say("二")
    first = await fetch(client, limit=1)
    assert [u["message"]["text"] for u in first] == ["一"]
    assert [u["message"]["text"] for u in await fetch(client)] == ["一", "二"]
    rest = await fetch(client, offset=first[0]["update_id"] + 1)
    assert [u["message"]["text"] for u in rest] == ["二"]
    assert [u["message"]["text"] for u in await fetch(client)] == ["二"]


async def test_a_negative_offset_keeps_only_the_last(client, wang):
    # https://core.telegram.org/bots/api#getupdates: "retrieve updates starting from -offset update from the end"
    for text in ("一", "二", "三"):
        await wang.say(text)
    assert [u["message"]["text"] for u in await fetch(client, offset=-1)] == ["三"]
    assert len(await fetch(client)) == 1


async def test_a_long_poll_wakes_when_something_comes(client, wang):
    # https://core.telegram.org/bots/api#getupdates: timeout, "Timeout in seconds for long polling"
    await drained(client)
    poll = asyncio.create_task(fetch(client, timeout=20))
    await asyncio.sleep(0.2)
    await wang.say("醒")
    async with asyncio.timeout(5):
        assert (await poll)[0]["message"]["text"] == "醒"


async def test_allowed_updates_filter_when_an_update_is_queued_and_stay_until_changed(client, wang):
    # https://core.telegram.org/bots/api#getupdates: "If not specified, the previous setting will be used";
    # "doesn't affect updates created before the call"
    await drained(client)
    await fetch(client, allowed_updates=["callback_query"])
    await wang.say("不收")
    assert await fetch(client) == []
    await fetch(client, allowed_updates=["message"])
    await wang.say("收")
    assert [u["message"]["text"] for u in await fetch(client)] == ["收"]


async def test_a_second_poll_ends_the_first_with_a_conflict(stage, wang):
    # telegram-bot-api/Client.cpp: "Conflict: terminated by other getUpdates request; ..."
    async with aiohttp.ClientSession() as http:
        url = f"{stage.origin}/bot{stage.token}/getUpdates"
        async with http.get(url, params={"offset": 2**40}):
            pass

        async def poll() -> tuple[int, dict[str, Any]]:
            async with http.get(url, params={"timeout": 20}) as response:
                return response.status, await response.json()

        first = asyncio.create_task(poll())
        await asyncio.sleep(0.2)
        second = asyncio.create_task(poll())
        async with asyncio.timeout(5):
            status, answer = await first
        assert (status, answer["error_code"]) == (409, 409)
        assert answer["description"].startswith("Conflict: terminated by other getUpdates request")
        await wang.say("给第二个")
        assert (await second)[1]["result"]


async def test_a_tap_comes_with_its_data_and_is_answered_once(client, stage, wang):
    # https://core.telegram.org/bots/api#callbackquery, #answercallbackquery
    await drained(client)
    inline = [[{"text": "收到", "callback_data": "ack:7"}]]
    sent = await client.call("send_message", chat_id=stage.chat_id, text="通知", inline=inline)
    await wang.press("收到")
    query = (await fetch(client, timeout=5))[0]["callback_query"]
    assert (query["data"], query["message"]["message_id"]) == ("ack:7", sent["message_id"])
    assert query["from"]["id"] == wang.id
    answer = {"callback_query_id": query["id"], "text": "好", "show_alert": True}
    assert await client.call("answer_callback_query", **answer) is True
    with pytest.raises(Refused, match=r"(?i)query is too old"):
        await client.call("answer_callback_query", **answer)


async def test_a_shared_contact_is_its_senders_own(client, wang):
    # https://core.telegram.org/bots/api#contact: user_id, "Contact's user identifier in Telegram"
    await drained(client)
    await wang.share_contact()
    message = (await fetch(client))[0]["message"]
    assert message["contact"]["user_id"] == message["from"]["id"] == wang.id
    assert message["contact"]["phone_number"] == "13805740001"


async def test_block_and_return_are_told(client, wang):
    # https://core.telegram.org/bots/api#update: my_chat_member, "for private chats ... blocked or unblocked"
    await drained(client)
    await wang.block()
    await wang.unblock()
    told = [u["my_chat_member"] for u in await fetch(client)]
    assert [t["new_chat_member"]["status"] for t in told] == ["kicked", "member"]


async def test_a_photo_and_a_document_of_a_person_can_be_downloaded(client, wang):
    # https://core.telegram.org/bots/api#getfile, #document, #message: caption
    await drained(client)
    await wang.upload("document", "名单.txt", b"one line", caption="请看")
    message = (await fetch(client))[0]["message"]
    assert (message["document"]["file_name"], message["caption"]) == ("名单.txt", "请看")
    assert await client.download(message["document"]["file_id"]) == b"one line"


async def test_commands_are_kept_for_each_language(client, stage, wang):
    # https://core.telegram.org/bots/api#setmycommands
    assert await client.call("set_my_commands", commands=[("help", "帮助")])
    assert await client.call("set_my_commands", commands=[("help", "Help")], language_code="en")
    assert (await client.call("get_my_commands"))[0]["description"] == "帮助"
    assert (await client.call("get_my_commands", language_code="en"))[0]["description"] == "Help"
    assert (await wang.call("GET", ""))["commands"] == [{"command": "help", "description": "帮助"}]
    assert await client.call("delete_my_commands", language_code="en")
    assert not await client.call("get_my_commands", language_code="en")
    with pytest.raises(Refused, match=r"(?i)bot_command_invalid"):
        await client.call("set_my_commands", commands=[("Wrong Name", "x")])


async def test_the_menu_button_is_kept(client, stage):
    # https://core.telegram.org/bots/api#getchatmenubutton
    assert await client.call("set_chat_menu_button") is True
    assert (await client.call("get_chat_menu_button"))["type"] in ("default", "commands")


async def test_an_unknown_method_and_a_forged_token_are_told_apart(stage):
    # telegram-bot-api/Client.cpp: 404 "Not Found: method not found"; ClientManager.cpp: 401 "Unauthorized"
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{stage.origin}/bot{stage.token}/noSuchMethod") as response:
            assert (response.status, (await response.json())["description"]) == (
                404,
                "Not Found: method not found",
            )
        forged = stage.token[:-1] + ("a" if stage.token[-1] != "a" else "b")
        async with http.get(f"{stage.origin}/bot{forged}/getMe") as response:
            assert (response.status, (await response.json())["description"]) == (401, "Unauthorized")


@pytest.mark.parametrize("form", ["query", "form", "multipart", "json"])
async def test_fields_come_in_four_forms(stage, form):
    # https://core.telegram.org/bots/api#making-requests: the four ways of passing parameters
    fields = {"chat_id": str(stage.chat_id), "text": f"by {form}"}
    multipart = aiohttp.FormData(fields, default_to_multipart=True)
    how: dict[str, Any] = {
        "query": {"params": fields}, "form": {"data": fields}, "multipart": {"data": multipart}, "json": {"json": fields},
    }[form]  # fmt: skip
    url = f"{stage.origin}/bot{stage.token}/sendMessage"
    async with aiohttp.ClientSession() as http, http.post(url, **how) as response:
        assert (await response.json())["result"]["text"] == f"by {form}"


class Hook:
    """A webhook that refuses as often as it is told to."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, dict[str, Any]]] = []
        self.refuse = 0
        self.reply: dict[str, Any] | None = None

    async def post(self, request: web.Request) -> web.Response:
        self.seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), await request.json()))
        if self.refuse:
            self.refuse -= 1
            return web.Response(status=500)
        return web.json_response(self.reply) if self.reply else web.Response()

    async def wait(self, number: int) -> None:
        async with asyncio.timeout(10):
            while len(self.seen) < number:
                await asyncio.sleep(0.02)


@pytest.fixture
async def hook():
    made = Hook()
    app = web.Application()
    app.add_routes([web.post("/hook", made.post)])
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("/hook"))
        yield made


async def test_a_webhook_gets_updates_in_order_again_after_an_error_and_ends_polling(client, wang, hook):
    # https://core.telegram.org/bots/api#setwebhook: secret_token; "we will repeat the request"; getUpdates conflicts
    hook.refuse = 1
    await client.call("set_webhook", url=hook.url, secret_token="s3cret", drop_pending_updates=True)
    with pytest.raises(Refused, match=r"(?i)webhook is active"):
        await fetch(client)
    await wang.say("一")
    await wang.say("二")
    await hook.wait(3)
    assert [body["message"]["text"] for _, body in hook.seen] == ["一", "一", "二"]
    assert {secret for secret, _ in hook.seen} == {"s3cret"}
    info = await client.call("get_webhook_info")
    assert (info["url"], info["pending_update_count"]) == (hook.url, 0)
    assert "500" in info["last_error_message"]
    assert await client.call("delete_webhook")
    assert not (await client.call("get_webhook_info")).get("url")


async def test_a_method_in_the_webhooks_answer_is_carried_out(client, wang, hook):
    # https://core.telegram.org/bots/api#making-requests-when-getting-updates
    hook.reply = {"method": "sendMessage", "chat_id": wang.id, "text": "从回答里说的"}
    await client.call("set_webhook", url=hook.url, drop_pending_updates=True)
    await wang.say("你好")
    await wang.wait("从回答里说的")
    await client.call("delete_webhook")


async def test_flood_limits_can_be_switched_on(tmp_path):
    # https://core.telegram.org/bots/faq: 1 message a second in a chat; ResponseParameters.retry_after
    async with running_webchat(tmp_path, flood_limits=True) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        answers = []
        for number in range(12):
            url = f"{town.origin}/bot{token}/sendMessage"
            async with town.http.post(url, json={"chat_id": wang.id, "text": str(number)}) as response:
                answers.append((response.status, response.headers.get("Retry-After"), await response.json()))
    assert answers[0][0] == 200
    status, header, body = answers[-1]
    assert (status, body["error_code"]) == (429, 429)
    assert body["parameters"]["retry_after"] == int(header) >= 1
    assert body["description"] == f"Too Many Requests: retry after {header}"
