"""The town: bots, people and their dialogues; every change is a row, an event for the page, an update for the bot."""

import json
import secrets
import sqlite3
from typing import Any

import orjson

from webchat.config import WebchatConfig
from webchat.errors import BotApiError, PeopleError, bad_request
from webchat.fields import whole
from webchat.files import Files
from webchat.store import Row, Store, digest
from webchat.wakeups import Wakeups

EVENTS_KEPT = 500
CALLBACK_LIFE = 900  # seconds; later answers are "query is too old"
UPDATE_KINDS = {
    "message", "edited_message", "channel_post", "edited_channel_post", "inline_query", "chosen_inline_result",
    "callback_query", "shipping_query", "pre_checkout_query", "poll", "poll_answer", "my_chat_member",
    "chat_member", "chat_join_request",
}  # fmt: skip
NAMING_A_PERSON = (
    "sign_in", "session", "chat", "message", "event", "pending_update", "callback_query", "file_reader",
)  # fmt: skip
Json = dict[str, Any]


class Town:
    """All state of one chat server."""

    def __init__(self, config: WebchatConfig) -> None:
        self.config = config
        self.store = Store(config.data_dir / "webchat.db")
        self.files = Files(self.store, config.data_dir / "webchat-media")
        self.wakeups = Wakeups()
        self.closing = False
        self._sweep()

    def _sweep(self) -> None:
        """Forget links and taps that nobody can use any more."""
        with self.store.begin():
            self.store.run("DELETE FROM sign_in WHERE expires_at < ?", self.now())
            self.store.run("DELETE FROM callback_query WHERE created_at < ?", self.now() - CALLBACK_LIFE)

    def close(self) -> None:
        """End all waits and close the file."""
        self.closing = True
        self.wakeups.ring_all()

    def now(self) -> int:
        return int(self.config.clock())

    # bots

    def new_bot(self, name: str, username: str) -> tuple[int, str]:
        """Register a bot; returns its id and token. `PeopleError` 409 when the username is taken."""
        secret = secrets.token_urlsafe(32)[:35]
        try:
            with self.store.begin():
                number = self.store.insert(
                    "INSERT INTO bot (id, username, name, token_digest, next_update_id) VALUES"
                    " ((SELECT max(7000000000, coalesce(max(id), 0) + 1) FROM bot), ?, ?, ?, ?)",
                    username, name, b"", secrets.randbelow(10**8) + 1,
                )  # fmt: skip
                token = f"{number}:{secret}"
                self.store.run("UPDATE bot SET token_digest = ? WHERE id = ?", digest(token), number)
        except sqlite3.IntegrityError as error:
            raise PeopleError(409, "username_taken") from error
        return number, token

    def bot_by_token(self, token: str) -> Row | None:
        row = self.store.one("SELECT * FROM bot WHERE id = ?", whole(token.partition(":")[0]))
        return row if row and secrets.compare_digest(row["token_digest"], digest(token)) else None

    def bot_named(self, username: str) -> Row:
        row = self.store.one("SELECT * FROM bot WHERE username = ?", username)
        if row is None:
            raise PeopleError(404, "unknown_bot")
        return row

    # people and chats

    def person(self, number: int) -> Row | None:
        return self.store.one("SELECT * FROM person WHERE id = ?", number)

    def chat(self, bot_id: int, person_id: int) -> Row | None:
        return self.store.one("SELECT * FROM chat WHERE bot_id = ? AND person_id = ?", bot_id, person_id)

    def move_person(self, number: int, to: int) -> None:
        """Give a person, and so their chats, another id, as a migration does; they stay signed in."""
        if self.person(number) is None:
            raise PeopleError(404, "unknown_person")
        if self.person(to) is not None:
            raise PeopleError(409, "id_taken")
        with self.store.begin():
            self.store.run("PRAGMA defer_foreign_keys = ON")
            self.store.run("UPDATE person SET id = ? WHERE id = ?", to, number)
            for table in NAMING_A_PERSON:
                self.store.run(f"UPDATE {table} SET person_id = ? WHERE person_id = ?", to, number)  # noqa: S608
            for row in self.store.all("SELECT bot_id, id, body FROM message WHERE person_id = ?", to):
                message = orjson.loads(row["body"])
                message["chat"]["id"] = to
                if message["from"]["id"] == number:
                    message["from"]["id"] = to
                self.store.run(
                    "UPDATE message SET body = ? WHERE bot_id = ? AND person_id = ? AND id = ?",
                    _dump(message), row["bot_id"], to, row["id"],
                )  # fmt: skip
        for key in (number, to):
            self.wakeups.ring(("person", key))

    def reachable(self, bot: Row, chat_id: Any) -> Row:
        """Return the person a bot may write to, or refuse as Telegram does."""
        person = self.person(whole(chat_id) or 0)
        chat = self.chat(bot["id"], person["id"]) if person else None
        if person is None or chat is None:
            raise bad_request("chat not found")
        if chat["blocked"]:
            raise BotApiError(403, "Forbidden: bot was blocked by the user")
        return person

    # messages

    def from_bot(self, bot: Row, person: Row, content: Json) -> Json:
        """Post a message of a bot's; `content` has the Bot API fields of the message's kind."""
        with self.store.begin():
            message = self._post(bot, person, content, outgoing=False)
        self.wakeups.ring(("person", person["id"]))
        return message

    def from_person(self, bot: Row, person: Row, content: Json) -> Json:
        """Post a person's message and queue it for the bot; writing to a bot opens the chat and unblocks it."""
        with self.store.begin():
            self._open_chat(bot, person)
            message = self._post(bot, person, content, outgoing=True)
            self._queue(bot, person["id"], "message", message)
        self._ring(bot, person)
        return self.as_seen(message, outgoing=True)

    def _post(self, bot: Row, person: Row, content: Json, *, outgoing: bool) -> Json:
        row = self.store.one(
            "UPDATE chat SET next_message_id = next_message_id + 1 WHERE bot_id = ? AND person_id = ?"
            " RETURNING next_message_id - 1 AS id",
            bot["id"], person["id"],
        )  # fmt: skip
        assert row is not None  # noqa: S101 - the caller has seen or opened the chat
        message = {
            "message_id": row["id"],
            "from": as_user(person) if outgoing else as_bot(bot),
            "chat": as_chat(person),
            "date": self.now(),
            **content,
        }
        self.store.run(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?)",
            bot["id"], person["id"], row["id"], outgoing, _dump(message),
        )  # fmt: skip
        self.emit(person["id"], "message", bot, message=self.as_seen(message, outgoing=outgoing))
        return message

    def message(self, bot_id: int, person_id: int, number: Any) -> tuple[Json, bool] | None:
        """Return a message and whether the person sent it."""
        row = self.store.one(
            "SELECT body, outgoing FROM message WHERE bot_id = ? AND person_id = ? AND id = ?",
            bot_id, person_id, whole(number),
        )  # fmt: skip
        return (orjson.loads(row["body"]), bool(row["outgoing"])) if row else None

    def edit(self, bot: Row, person: Row, message: Json, *, touched: bool = True) -> Json:
        """Write an edited message of a bot's and show it; `touched` gives it an edit date."""
        if touched:
            message["edit_date"] = self.now()
        with self.store.begin():
            self.store.run(
                "UPDATE message SET body = ? WHERE bot_id = ? AND person_id = ? AND id = ?",
                _dump(message), bot["id"], person["id"], message["message_id"],
            )  # fmt: skip
            seen = self.as_seen(message, outgoing=False)
            self._forget_looks(bot, person["id"], message["message_id"], seen)
            self.emit(person["id"], "edit", bot, message=seen)
        self.wakeups.ring(("person", person["id"]))
        return message

    def delete(self, bot: Row, person_id: int, number: int) -> None:
        with self.store.begin():
            self.store.run(
                "DELETE FROM message WHERE bot_id = ? AND person_id = ? AND id = ?",
                bot["id"],
                person_id,
                number,
            )
            self._forget_looks(bot, person_id, number)
            self.emit(person_id, "delete", bot, message_id=number)
        self.wakeups.ring(("person", person_id))

    def as_seen(self, message: Json, *, outgoing: bool) -> Json:
        return {**message, "outgoing": outgoing}

    # what a person does besides writing

    def press(self, bot: Row, person: Row, message: Json, data: str) -> str:
        """Queue a tap on an inline button; returns the callback query's id."""
        number = str(secrets.randbits(62))
        with self.store.begin():
            self.store.run(
                "INSERT INTO callback_query VALUES (?, ?, ?, ?, 0)",
                number,
                bot["id"],
                person["id"],
                self.now(),
            )
            query = {
                "id": number,
                "from": as_user(person),
                "message": message,
                "chat_instance": str(bot["id"] * 1000 + person["id"]),
                "data": data,
            }
            self._queue(bot, person["id"], "callback_query", query)
        self._ring(bot, person)
        return number

    def answer(self, bot: Row, query_id: Any, answer: Json) -> None:
        """Show a callback's answer to who tapped."""
        with self.store.begin():
            row = self.store.one(
                "UPDATE callback_query SET answered = 1 WHERE id = ? AND bot_id = ? AND answered = 0"
                " AND created_at > ? RETURNING person_id",
                str(query_id), bot["id"], self.now() - CALLBACK_LIFE,
            )  # fmt: skip
            if row is None:
                raise bad_request("query is too old and response timeout expired or query ID is invalid")
            self.emit(row["person_id"], "callback_answer", bot, callback_query_id=str(query_id), **answer)
        self.wakeups.ring(("person", row["person_id"]))

    def block(self, bot: Row, person: Row, *, blocked: bool) -> None:
        """Block or unblock a bot; the bot is told by ``my_chat_member``."""
        with self.store.begin():
            chat = self.chat(bot["id"], person["id"])
            if chat is None:
                raise PeopleError(404, "unknown_chat")
            if bool(chat["blocked"]) != blocked:
                self._set_blocked(bot, person, blocked=blocked)
        self._ring(bot, person)

    def _set_blocked(self, bot: Row, person: Row, *, blocked: bool) -> None:
        self.store.run(
            "UPDATE chat SET blocked = ? WHERE bot_id = ? AND person_id = ?", blocked, bot["id"], person["id"]
        )
        self._tell_presence(bot, person, "kicked" if blocked else "member")
        self.emit(person["id"], "blocked", bot, blocked=blocked)

    def _tell_presence(self, bot: Row, person: Row, status: str) -> None:
        def standing(name: str) -> Json:
            until = {"until_date": 0} if name == "kicked" else {}
            return {"status": name, "user": as_bot(bot), **until}

        before = "member" if status == "kicked" else "kicked"
        change = {
            "chat": as_chat(person),
            "from": as_user(person),
            "date": self.now(),
            "old_chat_member": standing(before),
            "new_chat_member": standing(status),
        }
        self._queue(bot, person["id"], "my_chat_member", change)

    def _open_chat(self, bot: Row, person: Row) -> None:
        chat = self.chat(bot["id"], person["id"])
        if chat is None:
            self.open_chat(bot["id"], person["id"])
        elif chat["blocked"]:
            self._set_blocked(bot, person, blocked=False)

    def open_chat(self, bot_id: int, person_id: int) -> None:
        self.store.run("INSERT OR IGNORE INTO chat (bot_id, person_id) VALUES (?, ?)", bot_id, person_id)

    # events and updates

    def emit(self, person_id: int, kind: str, bot: Row, **fields: Any) -> None:
        """Write an event for a person's pages; only the last `EVENTS_KEPT` of a person are kept."""
        body = _dump({"type": kind, "chat": bot["username"], **fields})
        number = self.store.insert(
            "INSERT INTO event (person_id, body, type, bot_id, message_id) VALUES (?, ?, ?, ?, ?)",
            person_id, body, kind, bot["id"], fields["message"]["message_id"] if "message" in fields else None,
        )  # fmt: skip
        if number % 64 == 0:
            self.store.run(
                "DELETE FROM event WHERE person_id = ? AND id <= coalesce((SELECT id FROM event"
                " WHERE person_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?), 0)",
                person_id, person_id, EVENTS_KEPT,
            )  # fmt: skip

    def _forget_looks(self, bot: Row, person_id: int, number: int, now: Json | None = None) -> None:
        """Drop what a message looked like before: it may have been a vote being made (DOMAIN.md 4.5).

        A page that was away is shown the message as it is `now` where it would have seen it first.
        """
        of = (person_id, bot["id"], number)
        mine = "person_id = ? AND bot_id = ? AND message_id = ?"
        if now is None:
            self.store.run(f"DELETE FROM event WHERE {mine}", *of)  # noqa: S608 - our own words
            return
        body = _dump({"type": "message", "chat": bot["username"], "message": now})
        self.store.run(f"UPDATE event SET body = ? WHERE {mine} AND type = 'message'", body, *of)  # noqa: S608
        self.store.run(f"DELETE FROM event WHERE {mine} AND type = 'edit'", *of)  # noqa: S608

    def _queue(self, bot: Row, person_id: int, kind: str, body: Json) -> None:
        fresh = self.store.one("SELECT allowed_updates FROM bot WHERE id = ?", bot["id"])
        allowed = json.loads(fresh["allowed_updates"]) if fresh and fresh["allowed_updates"] else None
        if allowed is not None and kind not in allowed:
            return
        row = self.store.one(
            "UPDATE bot SET next_update_id = next_update_id + 1 WHERE id = ? RETURNING next_update_id - 1 AS id",
            bot["id"],
        )
        assert row is not None  # noqa: S101 - the bot exists
        update = {"update_id": row["id"], kind: body}
        self.store.run(
            "INSERT INTO pending_update VALUES (?, ?, ?, ?)", bot["id"], row["id"], person_id, _dump(update)
        )

    def _ring(self, bot: Row, person: Row) -> None:
        self.wakeups.ring(("bot", bot["id"]))
        self.wakeups.ring(("person", person["id"]))


def as_bot(bot: Row) -> Json:
    return {"id": bot["id"], "is_bot": True, "first_name": bot["name"], "username": bot["username"]}


def as_user(person: Row) -> Json:
    return {
        "id": person["id"],
        "is_bot": False,
        "first_name": person["name"],
        "language_code": "zh-hans" if person["language"] == "zh" else person["language"],
    }


def as_chat(person: Row) -> Json:
    return {"id": person["id"], "type": "private", "first_name": person["name"]}


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()
