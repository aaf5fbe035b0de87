"""What nobody should send: the answer is a refusal with a reason, never an internal error."""

import aiohttp
import pytest

from tests.webchat_server import running_webchat

HUGE = 10**30


@pytest.fixture
async def town(tmp_path):
    async with running_webchat(tmp_path, max_upload_bytes=100_000, sign_up_per_hour_per_ip=2) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("sendMessage", {"chat_id": HUGE, "text": "x"}),
        ("sendMessage", {"chat_id": {"id": 1}, "text": "x"}),
        ("sendMessage", {"chat_id": "ME", "text": {"a": 1}, "entities": [{"type": ["bold"]}]}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "entities": [{"type": "bold", "offset": "0"}]}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "entities": [{"type": "text_link", "offset": 0, "length": 1}]}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "reply_markup": "{"}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "reply_markup": [1]}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "reply_markup": {"inline_keyboard": [["x"]]}}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "reply_markup": {"inline_keyboard": [[{"text": 5, "url": 7}]]}}),
        ("sendMessage", {"chat_id": "ME", "text": "x",
                         "reply_markup": {"inline_keyboard": [[{"text": "x", "url": "javascript:alert(1)"}]]}}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "reply_markup": {"keyboard": [[{"text": {}}]]}}),
        ("sendMessage", {"chat_id": "ME", "text": "x", "reply_parameters": {"message_id": HUGE}}),
        ("sendPhoto", {"chat_id": "ME", "photo": "attach://nothing"}),
        ("sendPhoto", {"chat_id": "ME", "photo": 5}),
        ("sendDocument", {"chat_id": "ME", "document": "https://example.org/x.pdf"}),
        ("editMessageText", {"chat_id": "ME", "message_id": HUGE, "text": "x"}),
        ("deleteMessage", {"chat_id": "ME", "message_id": [1]}),
        ("answerCallbackQuery", {"callback_query_id": {"x": 1}}),
        ("getFile", {"file_id": "../../webchat.db"}),
        ("getChat", {"chat_id": HUGE}),
        ("setMyCommands", {"commands": ["help"]}),
        ("setMyCommands", {"commands": [{"command": "x", "description": "x"}], "scope": "{"}),
        ("setChatMenuButton", {"menu_button": {"type": ["x"]}}),
        ("setWebhook", {"url": "http://127.0.0.1.example.org/"}),
        ("setWebhook", {"url": "https://[/"}),
    ],
)  # fmt: skip
async def test_a_strange_request_of_a_bot_is_a_bad_request(town, method, fields):
    token = await town.new_bot()
    wang = await town.new_person("王芳")
    await wang.start()
    fields = {name: wang.id if value == "ME" else value for name, value in fields.items()}
    async with town.http.post(f"{town.origin}/bot{token}/{method}", json=fields) as response:
        answer = await response.json()
    assert (answer["ok"], answer["error_code"], response.status) == (False, 400, 400)
    assert answer["description"].startswith("Bad Request: ")


@pytest.mark.parametrize("offset", [HUGE, -HUGE, "x"])
async def test_a_strange_offset_confirms_nothing(town, offset):
    token = await town.new_bot()
    wang = await town.new_person("王芳")
    await wang.start()
    async with town.http.get(f"{town.origin}/bot{token}/getUpdates", params={"offset": offset}) as response:
        assert len((await response.json())["result"]) == 1


async def test_json_that_is_none_is_a_bad_request(town):
    token = await town.new_bot()
    for kind, body in (
        ("application/json", b"{"),
        ("multipart/form-data", b"x"),
        ("application/json", b"\xff"),
    ):
        headers = {"Content-Type": kind}
        async with town.http.post(f"{town.origin}/bot{token}/getMe", data=body, headers=headers) as response:
            assert response.status == 400, kind


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/press", {"message_id": 1, "data": None}),
        ("/press", {"message_id": HUGE, "data": "x"}),
        ("/messages", {"text": "字" * 4097}),
        ("/messages", {"text": " \n"}),
        ("/start", {"payload": "不行"}),
        ("/start", {"payload": "x" * 65}),
    ],
)
async def test_a_strange_request_of_a_person_is_refused_with_a_code(town, path, body):
    token = await town.new_bot()
    wang = await town.new_person("王芳")
    await wang.start()
    keyboard = {"inline_keyboard": [[{"text": "网页", "url": "https://example.org/"}]]}
    wish = {"chat_id": wang.id, "text": "x", "reply_markup": keyboard}
    async with town.http.post(f"{town.origin}/bot{token}/sendMessage", json=wish):
        pass
    with pytest.raises(AssertionError, match=r"'error': \{'code': '\w+'"):
        await wang.call("POST", path, body)


async def test_a_page_of_history_before_a_strange_number_is_empty_or_all(town):
    await town.new_bot()
    wang = await town.new_person("王芳")
    await wang.start()
    assert len((await wang.call("GET", f"/messages?before={HUGE}&limit=-5"))["messages"]) == 1


async def test_a_file_too_large_is_refused_to_person_and_bot(town):
    token = await town.new_bot()
    wang = await town.new_person("王芳")
    await wang.start()
    with pytest.raises(AssertionError, match="too_large"):
        await wang.upload("document", "x.bin", b"x" * 100_001)
    with pytest.raises(AssertionError, match="too_large"):
        await wang.upload("document", "x.bin", b"x" * 300_000)
    form = aiohttp.FormData({"chat_id": str(wang.id)})
    form.add_field("document", b"x" * 300_000, filename="x.bin")
    async with town.http.post(f"{town.origin}/bot{token}/sendDocument", data=form) as response:
        assert (response.status, (await response.json())["error_code"]) == (413, 413)


async def test_what_a_page_gets_of_a_file_cannot_run(town):
    await town.new_bot()
    wang = await town.new_person("王芳")
    li = await town.new_person("李明")
    await wang.start()
    sent = await wang.upload("document", 'a".html', b"<script>alert(1)</script>")
    url = f"{town.origin}/files/{sent['document']['file_id']}"
    async with town.http.get(url, headers=wang._headers) as response:
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''a%22.html")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response.headers["Content-Security-Policy"]
    async with town.http.get(url, headers=li._headers) as response:
        assert response.status == 404
    async with town.http.get(url) as response:
        assert response.status == 401


async def test_a_change_by_cookie_needs_our_own_page(town):
    await town.new_bot()
    person_id = await town.operator.put_person("王芳")
    code = (await town.operator.sign_in_link(person_id)).rpartition("/in/")[2]
    url = f"{town.origin}/api/session"
    async with town.http.post(url, json={"code": code}) as response:
        assert response.status == 403
    async with town.http.post(url, json={"code": code}, headers={"X-Webchat": "1"}) as response:
        cookie = {"Cookie": response.headers["Set-Cookie"].partition(";")[0]}
        assert "HttpOnly" in response.headers["Set-Cookie"]
        assert "SameSite=Lax" in response.headers["Set-Cookie"]
    town.http.cookie_jar.clear()
    me = f"{town.origin}/api/me"
    for headers, status in (
        ({}, 403),
        ({"X-Webchat": "1", "Origin": "https://evil.example"}, 403),
        ({"X-Webchat": "1", "Origin": town.origin}, 200),
    ):
        async with town.http.patch(me, json={"name": "王小芳"}, headers=cookie | headers) as response:
            assert response.status == status


async def test_newcomers_from_one_address_are_counted(town):
    await town.new_bot()
    statuses = []
    for number in range(3):
        wish = {"name": f"客{number}", "bot": "tongdao_bot", "start": "invited", "language": "zh"}
        async with town.http.post(
            f"{town.origin}/api/join",
            json=wish,
            headers={"X-Webchat": "1", "X-Forwarded-For": f"10.0.0.{number}"},
        ) as response:
            statuses.append(response.status)
    assert statuses == [200, 200, 429]


async def test_an_operator_needs_the_token_and_good_words(town):
    async with town.http.post(f"{town.origin}/operator/bots", json={}) as response:
        assert response.status == 401
    headers = {"Authorization": "Bearer operator-token-of-tests"}
    for path, body in (
        ("/operator/bots", {"name": "x", "username": "含中文"}),
        ("/operator/people", {"name": "x", "id": "abc"}),
        ("/operator/people", {"name": "x", "id": HUGE}),
        ("/operator/people", {"name": "x", "phone": ["1"]}),
        ("/operator/people", [1]),
    ):
        async with town.http.post(town.origin + path, json=body, headers=headers) as response:
            assert response.status == 400, body
    async with town.http.post(
        f"{town.origin}/operator/people/{HUGE}/sign-in-links", json={}, headers=headers
    ) as response:
        assert response.status == 404


async def test_an_unknown_path_of_the_api_is_refused_in_its_own_words(town):
    for method, path, status, code in (
        ("GET", "/api/nothing", 404, "not_found"),
        ("PUT", "/api/me", 405, "method_not_allowed"),
    ):
        async with town.http.request(method, town.origin + path) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (status, code)


async def test_who_signs_out_hears_no_more(town):
    await town.new_bot()
    wang = await town.new_person("王芳")
    await wang.start()
    async with town.http.get(f"{town.origin}/api/events", headers=wang._headers) as stream:
        await stream.content.readline()
        async with town.http.delete(f"{town.origin}/api/session", headers=wang._headers) as response:
            assert response.status == 200
        rest = await stream.content.read()
    assert b"data" not in rest
