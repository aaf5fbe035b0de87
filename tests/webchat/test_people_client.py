"""The test driver itself, and with it the way of a message: person to bot and back, block and return."""

import pytest

from tests.webchat_client import Person
from tests.webchat_server import running_webchat


async def test_a_person_speaks_and_the_bot_answers(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start("abc")
        update = await updates(town, token)
        assert update["message"]["text"] == "/start abc"
        assert update["message"]["entities"][0]["type"] == "bot_command"
        sent = await call(
            town, token, "sendMessage", chat_id=wang.id, text="您好 <b>王芳</b>", parse_mode="HTML",
            reply_markup={"inline_keyboard": [[{"text": "收到", "callback_data": "ok"}]]},
        )  # fmt: skip
        assert sent["result"]["entities"] == [{"type": "bold", "offset": 3, "length": 2}]
        await wang.wait("王芳")
        query = await wang.press("收到")
        pressed = await updates(town, token, offset=update["update_id"] + 1)
        assert pressed["callback_query"]["id"] == query
        assert pressed["callback_query"]["data"] == "ok"


async def test_a_person_who_blocks_is_refused_to_the_bot_until_they_return(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        await wang.block()
        refused = await call(town, token, "sendMessage", chat_id=wang.id, text="您好")
        assert refused["error_code"] == 403
        assert refused["description"] == "Forbidden: bot was blocked by the user"
        await wang.unblock()
        assert (await call(town, token, "sendMessage", chat_id=wang.id, text="您好"))["ok"]


async def test_an_invitation_admits_a_newcomer_and_a_link_works_once(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        await Person.join(town.http, town.origin, "李明", "tongdao_bot", "invited")
        assert (await updates(town, token))["message"]["text"] == "/start invited"
        person_id = await town.operator.put_person("王芳")
        link = await town.operator.sign_in_link(person_id)
        await Person.sign_in(town.http, town.origin, link, "tongdao_bot")
        with pytest.raises(AssertionError, match="link_used_or_expired"):
            await Person.sign_in(town.http, town.origin, link, "tongdao_bot")


async def call(town, token, method, **fields):
    async with town.http.post(f"{town.origin}/bot{token}/{method}", json=fields) as response:
        return await response.json()


async def updates(town, token, offset=0):
    answer = await call(town, token, "getUpdates", timeout=5, limit=1, offset=offset)
    return answer["result"][0]


async def test_a_forged_token_is_unauthorized(tmp_path):
    async with running_webchat(tmp_path) as town, town.http.get(f"{town.origin}/bot1:x/getMe") as response:
        assert response.status == 401
        assert (await response.json())["description"] == "Unauthorized"
