"""The people's API in OpenAPI 3.1, served at ``/openapi.json``: what a page, a test or a load driver may call."""

from typing import Any, Final

from webchat import openapi_faults

Json = dict[str, Any]


def _body(**properties: Json) -> Json:
    schema = {"type": "object", "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _answer(said: str, schema: Json | None = None) -> Json:
    content = {"application/json": {"schema": schema}} if schema else {}
    return {"description": said, **({"content": content} if content else {})}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(summary: str, answer: Json, *, body: Json | None = None, codes: tuple[int, ...] = ()) -> Json:
    refused = {str(code): _answer(REFUSALS[code], _ref("Error")) for code in codes}
    return {
        "summary": summary,
        **({"requestBody": body} if body else {}),
        "responses": {"200": answer, **refused},
    }


TEXT: Final[Json] = {"type": "string"}
NUMBER: Final[Json] = {"type": "integer"}
REFUSALS: Final = {
    400: "The request cannot be understood",
    401: "Not signed in",
    403: "A change by cookie without X-Webchat: 1, or from another origin",
    404: "No such chat, button or file",
    409: "No phone number to share",
    410: "The link was used, or its time is over",
    413: "The file is too large",
    429: "Too many newcomers from this address",
}
ADMITTED: Final = _answer(
    "A session: the cookie is set, and the token serves drivers as Bearer", _ref("Admitted")
)
MESSAGE: Final = _answer(
    "The message as it was sent", {"type": "object", "properties": {"message": _ref("Message")}}
)
NOTHING: Final = _answer("Done")
UPLOAD: Final[Json] = {
    "type": "object",
    "required": ["kind", "file"],
    "properties": {
        "kind": {"enum": ["photo", "document"]},
        "file": {"type": "string", "format": "binary"},
        "caption": {"type": "string", "maxLength": 1024},
        "album": {"type": "string", "pattern": "^\\d{0,20}$", "description": "Of files that belong together"},
    },
}
SAID: Final[Json] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "text": {"type": "string", "maxLength": 4096},
                    "reply_to_message_id": NUMBER,
                    "contact": {"type": "boolean", "description": "Share one's own phone number"},
                },
            }
        },
        "multipart/form-data": {"schema": UPLOAD},
    },
}
CHAT: Final = "/api/chats/{username}"
PATHS: Final[Json] = {
    "/api/session": {
        "post": _operation("Sign in by a one-time code", ADMITTED, body=_body(code=TEXT), codes=(403, 410)),
        "delete": _operation("Sign out", NOTHING, codes=(401, 403)),
    },
    "/api/join": {
        "post": _operation(
            "Arrive by an invitation",
            ADMITTED,
            body=_body(name=TEXT, bot=TEXT, start=TEXT, language={"enum": ["zh", "en"]}),
            codes=(400, 403, 404, 429),
        )
    },
    "/api/me": {
        "get": _operation("Read who one is here", _answer("Oneself", _ref("Me")), codes=(401,)),
        "patch": _operation(
            "Change name, language or phone number",
            _answer("Oneself", _ref("Me")),
            body=_body(name=TEXT, language={"enum": ["zh", "en"]}, phone={"type": ["string", "null"]}),
            codes=(400, 401, 403),
        ),
    },
    "/api/chats": {"get": _operation("List one's chats", _answer("Chats", _ref("Chats")), codes=(401,))},
    CHAT: {"get": _operation("Read one chat", _answer("The chat", _ref("Chat")), codes=(401, 404))},
    CHAT + "/messages": {
        "get": _operation(
            "Read messages, oldest first; `before` and `limit` page backwards",
            _answer("Messages", _ref("Messages")),
            codes=(401, 404),
        ),
        "post": _operation(
            "Send text, contact, photo or document", MESSAGE, body=SAID, codes=(400, 401, 403, 404, 409, 413)
        ),
    },
    CHAT + "/start": {
        "post": _operation("Start the bot", MESSAGE, body=_body(payload=TEXT), codes=(400, 401, 403, 404))
    },
    CHAT + "/press": {
        "post": _operation(
            "Press an inline button; its answer comes as an event",
            _answer("The query", {"type": "object", "properties": {"callback_query_id": TEXT}}),
            body=_body(message_id=NUMBER, data=TEXT),
            codes=(401, 403, 404),
        )
    },
    CHAT + "/read": {
        "post": _operation("Mark as read", NOTHING, body=_body(message_id=NUMBER), codes=(401, 403, 404))
    },
    CHAT + "/block": {"post": _operation("Block the bot", NOTHING, codes=(401, 403, 404))},
    CHAT + "/unblock": {"post": _operation("Let the bot write again", NOTHING, codes=(401, 403, 404))},
    "/api/events": {
        "get": _operation(
            "Hear what happens as Server-Sent Events; `after` or Last-Event-ID says from where",
            {"description": "Events", "content": {"text/event-stream": {"schema": _ref("Event")}}},
            codes=(401,),
        )
    },
    "/files/{file_id}": {
        "get": _operation(
            "Read a file of one's own chats",
            {"description": "Its bytes", "content": {"application/octet-stream": {}}},
            codes=(401, 404),
        )
    },
}
SCHEMAS: Final[Json] = {
    "Error": {
        "type": "object",
        "properties": {"error": {"type": "object", "properties": {"code": TEXT, "message": TEXT}}},
    },
    "Me": {
        "type": "object",
        "properties": {
            "id": NUMBER,
            "name": TEXT,
            "language": TEXT,
            "phone_masked": {"type": ["string", "null"]},
        },
    },
    "Admitted": {
        "type": "object",
        "properties": {"token": TEXT, "person": _ref("Me"), "start": {"type": ["object", "null"]}},
    },
    "Message": {
        "type": "object",
        "description": "A Message of the Bot API, and `outgoing`: whether the person sent it",
        "properties": {"message_id": NUMBER, "date": NUMBER, "text": TEXT, "outgoing": {"type": "boolean"}},
        "additionalProperties": True,
    },
    "Messages": {
        "type": "object",
        "properties": {"messages": {"type": "array", "items": _ref("Message")}, "more": {"type": "boolean"}},
    },
    "Chat": {
        "type": "object",
        "properties": {
            "bot": {"type": "object", "properties": {"id": NUMBER, "username": TEXT, "name": TEXT}},
            "last_message": {"anyOf": [_ref("Message"), {"type": "null"}]},
            "unread": NUMBER,
            "blocked": {"type": "boolean"},
            "commands": {"type": "array", "items": {"type": "object"}},
            "menu_button": {"type": "object"},
        },
    },
    "Chats": {"type": "object", "properties": {"chats": {"type": "array", "items": _ref("Chat")}}},
    "Event": {
        "type": "object",
        "description": "message, edit, delete, callback_answer, action, commands, blocked or reset",
        "properties": {"type": TEXT, "chat": TEXT},
        "additionalProperties": True,
    },
}


def document(public_url: str, *, faults: bool = False) -> Json:
    """Return the whole document; `faults` adds the routes of a server that can be told to fail."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tongdao web chat: people's API", "version": "1"},
        "servers": [{"url": public_url}],
        "security": [{"session": []}, {"bearer": []}],
        "paths": PATHS | (openapi_faults.paths() if faults else {}),
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "webchat_session"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }
