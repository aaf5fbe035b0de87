"""What the server keeps when it stops: updates, messages, events, sessions; and what it must not keep."""

import asyncio
import json
import sqlite3

import aiohttp
import pytest

from tests.webchat_client import Person
from tests.webchat_server import running_webchat


async def test_a_restart_loses_no_update_message_or_session(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start("abc")
        first = await ask(town, token, "getUpdates")
        await ask(town, token, "sendMessage", chat_id=wang.id, text="您好")
    async with running_webchat(tmp_path) as town:
        again = await ask(town, token, "getUpdates")
        session = wang._headers["Authorization"].removeprefix("Bearer ")
        wang = Person(town.http, town.origin, session, wang.id, "tongdao_bot")
        assert [m["text"] for m in await wang.messages()] == ["/start abc", "您好"]
    assert again == first


async def test_a_page_hears_after_a_restart_what_it_missed(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        (seen,) = await events(town, wang, after=0, number=1)
        await ask(town, token, "sendMessage", chat_id=wang.id, text="一")
    async with running_webchat(tmp_path) as town:
        await ask(town, token, "sendMessage", chat_id=wang.id, text="二")
        missed = await events(town, wang, after=seen["seq"], number=2)
    assert [event["message"]["text"] for event in missed] == ["一", "二"]


async def test_a_page_that_was_away_too_long_is_told_to_load_again(tmp_path):
    async with running_webchat(tmp_path) as town:
        await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        (told,) = await events(town, wang, after=10**6, number=1)
    assert told["type"] == "reset"


async def test_only_the_latest_events_are_kept(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        for number in range(640):
            await ask(town, token, "sendChatAction", chat_id=wang.id, action="typing", number=number)
        (told,) = await events(town, wang, after=0, number=1)
    assert told["type"] == "reset"


async def test_no_secret_stands_in_the_file(tmp_path):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        person_id = await town.operator.put_person("王芳")
        unused = (await town.operator.sign_in_link(person_id)).rpartition("/in/")[2]
        wang = await town.new_person("李明")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("webchat.db*"))
    session = wang._headers["Authorization"].removeprefix("Bearer ")
    for secret in (token.partition(":")[2], unused, session):
        assert secret.encode() not in kept


async def test_what_a_message_looked_like_before_stands_nowhere_and_a_page_that_was_away_sees_it_as_it_is(
    tmp_path,
):
    async with running_webchat(tmp_path) as town:
        token = await town.new_bot()
        wang = await town.new_person("王芳")
        await wang.start()
        sent = await ask(town, token, "sendMessage", chat_id=wang.id, text="您要选的是甲吗？")
        for text in ("您选了甲，确定吗？", "谢谢"):
            edited = {"chat_id": wang.id, "message_id": sent["message_id"], "text": text}
            await ask(town, token, "editMessageText", **edited)
        seen = await events(town, wang, after=0, number=3)
        gone = await ask(town, token, "sendMessage", chat_id=wang.id, text="这是甲")
        await ask(town, token, "deleteMessage", chat_id=wang.id, message_id=gone["message_id"])
    assert [(event["type"], event["message"]["text"]) for event in seen[-2:]] == [
        ("message", "谢谢"),
        ("edit", "谢谢"),
    ]
    assert "甲".encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("webchat.db*"))


async def test_links_that_ran_out_are_forgotten_at_the_next_start(tmp_path):
    now = [1_800_000_000.0]
    async with running_webchat(tmp_path, clock=lambda: now[0]) as town:
        person_id = await town.operator.put_person("王芳")
        short = await town.operator.sign_in_link(person_id, ttl_seconds=60)
        long = await town.operator.sign_in_link(person_id, ttl_seconds=600)
    now[0] += 120
    async with running_webchat(tmp_path, clock=lambda: now[0]) as town:
        with sqlite3.connect(tmp_path / "webchat.db") as file:
            (kept,) = file.execute("SELECT count(*) FROM sign_in").fetchone()
        file.close()
        assert kept == 1
        assert (await Person.sign_in(town.http, town.origin, long, "tongdao_bot")).id == person_id
        with pytest.raises(AssertionError, match="link_used_or_expired"):
            await Person.sign_in(town.http, town.origin, short, "tongdao_bot")


async def test_a_waiting_poll_does_not_hold_up_the_stop(tmp_path):
    async with asyncio.timeout(5), asyncio.TaskGroup() as waiting, running_webchat(tmp_path) as town:
        token = await town.new_bot()
        http = aiohttp.ClientSession()
        url = f"{town.origin}/bot{token}/getUpdates?timeout=50"
        poll = waiting.create_task(read(http, url))
        await asyncio.sleep(0.2)
    assert poll.result() == {"ok": True, "result": []}


async def read(http, url):
    async with http, http.get(url) as response:
        return await response.json()


async def ask(town, token, method, **fields):
    async with town.http.post(f"{town.origin}/bot{token}/{method}", json=fields) as response:
        answer = await response.json()
    assert answer["ok"], answer
    return answer["result"]


async def events(town, person, *, after, number):
    """Read the next events of a person's stream, each with its number as `seq`."""
    heard, seq = [], 0
    url = f"{town.origin}/api/events?after={after}"
    async with asyncio.timeout(5), town.http.get(url, headers=person._headers) as response:
        async for line in response.content:
            if line.startswith(b"id: "):
                seq = int(line[4:])
            elif line.startswith(b"data: "):
                heard.append({**json.loads(line[6:]), "seq": seq})
                if len(heard) == number:
                    return heard
    raise AssertionError(heard)
