"""The people's side over HTTP: session, chats, messages, files; documented in openapi.json."""

import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web

from webchat import content, fields, html_text, openapi
from webchat.bot_settings import commands_for
from webchat.errors import PeopleError
from webchat.events import Events
from webchat.files import PHOTO_TYPES, as_document, as_photo
from webchat.guests import Guests, as_me, clean_name
from webchat.store import Row
from webchat.town import Town

COOKIE = "webchat_session"
PERSON = web.RequestKey("person", Row)  # who is signed in
YEAR = 365 * 86400
PAGE = 50
PHONE = re.compile(r"\+?[0-9][0-9 -]{5,18}[0-9]")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(town: Town, guests: Guests) -> list[web.RouteDef]:
    api = _PeopleApi(town, guests)
    chat = "/api/chats/{username}"
    return [
        web.post("/api/session", api.sign_in),
        web.post("/api/join", api.join),
        web.delete("/api/session", api.signed(api.sign_out)),
        web.get("/api/me", api.signed(api.me)),
        web.patch("/api/me", api.signed(api.change_me)),
        web.get("/api/chats", api.signed(api.chats)),
        web.get(chat, api.signed(api.one_chat)),
        web.get(chat + "/messages", api.signed(api.messages)),
        web.post(chat + "/messages", api.signed(api.say)),
        web.post(chat + "/start", api.signed(api.start)),
        web.post(chat + "/press", api.signed(api.press)),
        web.post(chat + "/read", api.signed(api.read)),
        web.post(chat + "/block", api.signed(api.block)),
        web.post(chat + "/unblock", api.signed(api.unblock)),
        web.get("/api/events", api.signed(Events(town, PERSON, api.who).stream)),
        web.get("/files/{file_id}", api.signed(api.file)),
        web.get("/openapi.json", api.openapi),
    ]


class _PeopleApi:
    def __init__(self, town: Town, guests: Guests) -> None:
        self._town = town
        self._guests = guests

    def signed(self, handler: Handler) -> Handler:
        """Let only signed-in people in, and changes by cookie only from our own page (CSRF)."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            person = self.who(request)
            if person is None:
                raise PeopleError(401, "not_signed_in")
            if "Authorization" not in request.headers and request.method not in ("GET", "HEAD"):
                self._same_site(request)
            request[PERSON] = person
            return await handler(request)

        return guarded

    def who(self, request: web.Request) -> Row | None:
        """Return who is signed in; a driver's header goes before the page's cookie."""
        return self._guests.of_session(session_of(request))

    async def openapi(self, _request: web.Request) -> web.Response:
        config = self._town.config
        return answer(openapi.document(config.public_url, faults=config.faults))

    def _same_site(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if request.headers.get("X-Webchat") != "1" or (origin and origin != self._town.config.public_url):
            raise PeopleError(403, "wrong_origin")

    async def sign_in(self, request: web.Request) -> web.Response:
        self._same_site(request)
        code = (await body_of(request)).get("code")
        return self._admitted(self._guests.redeem(str(code or "")))

    async def join(self, request: web.Request) -> web.Response:
        self._same_site(request)
        return self._admitted(self._guests.join(await body_of(request), client_ip(request, self._town)))

    def _admitted(self, admitted: dict[str, Any]) -> web.Response:
        response = answer(admitted)
        response.set_cookie(
            COOKIE,
            admitted["token"],
            max_age=YEAR,
            httponly=True,
            samesite="Lax",
            secure=self._town.config.secure,
        )
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        self._guests.leave(session_of(request))
        self._town.wakeups.ring(("person", request[PERSON]["id"]))
        response = answer({})
        response.del_cookie(COOKIE)
        return response

    async def me(self, request: web.Request) -> web.Response:
        return answer(as_me(request[PERSON]))

    async def change_me(self, request: web.Request) -> web.Response:
        given, person = await body_of(request), request[PERSON]
        name = clean_name(given["name"]) if "name" in given else person["name"]
        language = given.get("language", person["language"])
        if language not in ("zh", "en"):
            raise PeopleError(400, "bad_language")
        phone = str(given["phone"]).strip() if given.get("phone") else None
        if phone is not None and not PHONE.fullmatch(phone):
            raise PeopleError(400, "bad_phone")
        phone = phone if "phone" in given else person["phone"]
        self._town.store.run(
            "UPDATE person SET name = ?, language = ?, phone = ? WHERE id = ?",
            name,
            language,
            phone,
            person["id"],
        )
        changed = self._town.person(person["id"])
        assert changed is not None  # noqa: S101 - just written
        return answer(as_me(changed))

    async def chats(self, request: web.Request) -> web.Response:
        person = request[PERSON]
        bots = self._town.store.all(
            "SELECT bot.* FROM bot JOIN chat ON bot_id = bot.id WHERE person_id = ? ORDER BY bot.id",
            person["id"],
        )
        return answer({"chats": [self._as_chat(bot, person) for bot in bots]})

    async def one_chat(self, request: web.Request) -> web.Response:
        return answer(self._as_chat(self._bot(request), request[PERSON]))

    def _as_chat(self, bot: Row, person: Row) -> dict[str, Any]:
        chat = self._town.chat(bot["id"], person["id"])
        last = self._town.store.one(
            "SELECT body, outgoing FROM message WHERE bot_id = ? AND person_id = ? ORDER BY id DESC LIMIT 1",
            bot["id"], person["id"],
        )  # fmt: skip
        unread = self._town.store.one(
            "SELECT count(*) AS n FROM message WHERE bot_id = ? AND person_id = ? AND id > ? AND NOT outgoing",
            bot["id"], person["id"], chat["last_read"] if chat else 0,
        )  # fmt: skip
        button = (chat and chat["menu_button"]) or bot["menu_button"]
        return {
            "bot": {"id": bot["id"], "username": bot["username"], "name": bot["name"]},
            "last_message": seen(last) if last else None,
            "unread": unread["n"] if unread else 0,
            "blocked": bool(chat and chat["blocked"]),
            "commands": commands_for(self._town, bot["id"], person),
            "menu_button": orjson.loads(button) if button else {"type": "commands"},
        }

    async def messages(self, request: web.Request) -> web.Response:
        bot, person = self._bot(request), request[PERSON]
        limit = min(max(whole(request.query.get("limit"), PAGE), 1), 100)
        rows = self._town.store.all(
            "SELECT body, outgoing FROM message WHERE bot_id = ? AND person_id = ? AND id < ?"
            " ORDER BY id DESC LIMIT ?",
            bot["id"], person["id"], whole(request.query.get("before"), 2**62), limit + 1,
        )  # fmt: skip
        return answer({"messages": [seen(row) for row in reversed(rows[:limit])], "more": len(rows) > limit})

    async def say(self, request: web.Request) -> web.Response:
        bot, person = self._bot(request), request[PERSON]
        if request.content_type.startswith("multipart/"):
            return answer({"message": await self._upload(request, bot, person)})
        given = await body_of(request)
        if given.get("contact"):
            return answer(
                {"message": self._town.from_person(bot, person, {"contact": self._contact(person)})}
            )
        body = written(given.get("text"), "text", content.TEXT_LIMIT)
        if not body:
            raise PeopleError(400, "empty_message")
        replied = self._town.message(bot["id"], person["id"], given.get("reply_to_message_id"))
        if replied is not None:
            body["reply_to_message"] = {k: v for k, v in replied[0].items() if k != "reply_to_message"}
        return answer({"message": self._town.from_person(bot, person, body)})

    def _contact(self, person: Row) -> dict[str, Any]:
        if not person["phone"]:
            raise PeopleError(409, "no_phone")
        return {"phone_number": person["phone"], "first_name": person["name"], "user_id": person["id"]}

    async def _upload(self, request: web.Request, bot: Row, person: Row) -> dict[str, Any]:
        form = await request.post()
        file, kind = form.get("file"), str(form.get("kind"))
        if not isinstance(file, web.FileField) or kind not in ("photo", "document"):
            raise PeopleError(400, "no_file")
        album = str(form.get("album") or "")
        if not re.fullmatch(r"\d{0,20}", album):
            raise PeopleError(400, "bad_album")
        data = file.file.read(self._town.config.max_upload_bytes + 1)
        if len(data) > self._town.config.max_upload_bytes:
            raise PeopleError(413, "too_large")
        if not data:
            raise PeopleError(400, "empty_file")
        row = self._town.files.keep(bot["id"], kind, file.filename or kind, data)
        if row is None:
            raise PeopleError(400, "not_a_picture")
        body: dict[str, Any] = {"photo": as_photo(row)} if kind == "photo" else {"document": as_document(row)}
        body |= written(form.get("caption"), "caption", content.CAPTION_LIMIT)
        if album:
            body["media_group_id"] = album
        message = self._town.from_person(bot, person, body)
        self._town.files.show_to(row["id"], person["id"])
        return message

    async def start(self, request: web.Request) -> web.Response:
        payload = str((await body_of(request)).get("payload") or "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,64}", payload):
            raise PeopleError(400, "bad_payload")
        body = written(f"/start {payload}".strip(), "text", content.TEXT_LIMIT)
        return answer({"message": self._town.from_person(self._bot(request), request[PERSON], body)})

    async def press(self, request: web.Request) -> web.Response:
        bot, person, given = self._bot(request), request[PERSON], await body_of(request)
        found = self._town.message(bot["id"], person["id"], given.get("message_id"))
        rows = found[0].get("reply_markup", {}).get("inline_keyboard", []) if found else []
        data = given.get("data")
        shown = [button.get("callback_data") for row in rows for button in row]
        if found is None or not isinstance(data, str) or data not in shown:
            raise PeopleError(404, "no_such_button")
        return answer({"callback_query_id": self._town.press(bot, person, found[0], data)})

    async def read(self, request: web.Request) -> web.Response:
        number = whole((await body_of(request)).get("message_id"), 0)
        self._town.store.run(
            "UPDATE chat SET last_read = max(last_read, ?) WHERE bot_id = ? AND person_id = ?",
            number, self._bot(request)["id"], request[PERSON]["id"],
        )  # fmt: skip
        return answer({})

    async def block(self, request: web.Request) -> web.Response:
        self._town.block(self._bot(request), request[PERSON], blocked=True)
        return answer({})

    async def unblock(self, request: web.Request) -> web.Response:
        self._town.block(self._bot(request), request[PERSON], blocked=False)
        return answer({})

    async def file(self, request: web.Request) -> web.StreamResponse:
        row = self._town.files.readable(request.match_info["file_id"], request[PERSON]["id"])
        if row is None:
            raise PeopleError(404, "unknown_file")
        picture = row["kind"] == "photo" and row["mime"] in PHOTO_TYPES
        shown = "inline" if picture else "attachment"
        headers = {
            "Content-Type": row["mime"] if picture else "application/octet-stream",
            "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(row['name'])}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=86400, immutable",
        }
        return web.FileResponse(self._town.files.path(row), headers=headers)

    def _bot(self, request: web.Request) -> Row:
        return self._town.bot_named(request.match_info["username"])


def written(given: Any, name: str, limit: int) -> dict[str, Any]:
    """Return what a person wrote with the entities found in it; nothing when it is empty."""
    plain = str(given or "").strip()
    if html_text.units(plain) > limit:
        raise PeopleError(400, "too_long")
    entities = content.found(plain, [])
    found = {("entities" if name == "text" else "caption_entities"): entities} if entities else {}
    return {name: plain, **found} if plain else {}


def seen(row: Row) -> dict[str, Any]:
    message: dict[str, Any] = orjson.loads(row["body"])
    return message | {"outgoing": bool(row["outgoing"])}


def session_of(request: web.Request) -> str:
    if "Authorization" in request.headers:
        return request.headers["Authorization"].removeprefix("Bearer ")
    return request.cookies.get(COOKIE, "")


async def body_of(request: web.Request) -> dict[str, Any]:
    try:
        given = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError as error:
        raise PeopleError(400, "bad_json") from error
    if not isinstance(given, dict):
        raise PeopleError(400, "bad_json")
    return given


def whole(given: Any, default: int) -> int:
    found = fields.whole(given)
    return default if found is None else found


def client_ip(request: web.Request, town: Town) -> str:
    """Return the caller's address; what proxies say counts only when the proxy is one of ours."""
    remote = request.remote or ""
    if remote in town.config.trusted_proxies:
        return request.headers.get("X-Forwarded-For", remote).rpartition(",")[2].strip()
    return remote


def answer(body: Any, status: int = 200) -> web.Response:
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/json", headers=headers
    )
