"""Methods by which a bot sets its commands and menu button, and what of it a person sees."""

import json
from typing import Any

from webchat import fields as read
from webchat.bot_methods import BotMethods, method
from webchat.errors import bad_request
from webchat.fields import Fields
from webchat.store import Row
from webchat.town import Town


def _scope(fields: Fields) -> str:
    given = read.nested(fields, "scope") or {"type": "default"}
    kind = given.get("type") if isinstance(given, dict) else None
    if kind == "chat":
        return f"chat:{given.get('chat_id')}"
    if kind in ("default", "all_private_chats", "all_group_chats", "all_chat_administrators"):
        return str(kind)
    raise bad_request("can't parse BotCommandScope: Unsupported type specified")


@method("setMyCommands")
async def set_my_commands(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    given = read.nested(fields, "commands")
    if not isinstance(given, list) or len(given) > 100:  # noqa: PLR2004 - https://core.telegram.org/bots/api#setmycommands
        raise bad_request("can't parse commands: expected an Array of at most 100 BotCommand")
    kept = []
    for command in given:
        if not isinstance(command, dict):
            raise bad_request("can't parse BotCommand: expected an Object")
        name = str(command.get("command", "")).lstrip("/")
        if not (1 <= len(name) <= 32 and name.replace("_", "").isalnum() and name == name.lower()):  # noqa: PLR2004
            raise bad_request("BOT_COMMAND_INVALID")
        if not command.get("description"):
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        kept.append({"command": name, "description": str(command["description"])})
    scope, language = _scope(fields), read.text(fields, "language_code")
    with methods.town.store.begin():
        methods.town.store.run(
            "INSERT INTO commands VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            bot["id"], scope, language, json.dumps(kept, ensure_ascii=False),
        )  # fmt: skip
        _tell_commands(methods, bot, scope)
    return True


def _tell_commands(methods: BotMethods, bot: Row, scope: str) -> None:
    where = scope.removeprefix("chat:")
    chats = methods.town.store.all("SELECT person_id FROM chat WHERE bot_id = ?", bot["id"])
    for chat in chats:
        if not scope.startswith("chat:") or str(chat["person_id"]) == where:
            methods.town.emit(chat["person_id"], "commands", bot)
            methods.town.wakeups.ring(("person", chat["person_id"]))


@method("getMyCommands")
async def get_my_commands(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    row = methods.town.store.one(
        "SELECT body FROM commands WHERE bot_id = ? AND scope = ? AND language = ?",
        bot["id"], _scope(fields), read.text(fields, "language_code"),
    )  # fmt: skip
    return json.loads(row["body"]) if row else []


@method("deleteMyCommands")
async def delete_my_commands(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    scope = _scope(fields)
    with methods.town.store.begin():
        methods.town.store.run(
            "DELETE FROM commands WHERE bot_id = ? AND scope = ? AND language = ?",
            bot["id"], scope, read.text(fields, "language_code"),
        )  # fmt: skip
        _tell_commands(methods, bot, scope)
    return True


def commands_for(town: Town, bot_id: int, person: Row) -> list[dict[str, str]]:
    """Return the commands a person sees: the narrowest scope, their language before none.

    https://core.telegram.org/bots/api#determining-list-of-commands
    """
    for scope in (f"chat:{person['id']}", "all_private_chats", "default"):
        for language in (person["language"], ""):
            row = town.store.one(
                "SELECT body FROM commands WHERE bot_id = ? AND scope = ? AND language = ?",
                bot_id,
                scope,
                language,
            )
            if row is not None:
                found: list[dict[str, str]] = json.loads(row["body"])
                return found
    return []


@method("setChatMenuButton")
async def set_chat_menu_button(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    button = read.nested(fields, "menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in ("default", "commands", "web_app"):
        raise bad_request("can't parse menu button: Unsupported type specified")
    body = json.dumps(button, ensure_ascii=False)
    if fields.get("chat_id"):
        person = methods.town.reachable(bot, fields.get("chat_id"))
        methods.town.store.run(
            "UPDATE chat SET menu_button = ? WHERE bot_id = ? AND person_id = ?",
            body,
            bot["id"],
            person["id"],
        )
    else:
        methods.town.store.run("UPDATE bot SET menu_button = ? WHERE id = ?", body, bot["id"])
    return True


@method("getChatMenuButton")
async def get_chat_menu_button(methods: BotMethods, bot: Row, fields: Fields) -> Any:
    if fields.get("chat_id"):
        person = methods.town.reachable(bot, fields.get("chat_id"))
        chat = methods.town.chat(bot["id"], person["id"])
        if chat is not None and chat["menu_button"]:
            return json.loads(chat["menu_button"])
    return json.loads(bot["menu_button"]) if bot["menu_button"] else {"type": "commands"}
