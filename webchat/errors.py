"""Refusals of both sides: the Bot API's error answers and the people's."""

from typing import Any


class BotApiError(Exception):
    """The answer ``{"ok": false, ...}`` of the Bot API (https://core.telegram.org/bots/api#making-requests)."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(description: str) -> BotApiError:
    return BotApiError(400, f"Bad Request: {description}")


class PeopleError(Exception):
    """A refusal to a person: a status and a code the page words."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message or code.replace("_", " ")
