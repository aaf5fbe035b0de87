"""The buttons of polls, and the dialogue steps that await a message."""

from typing import Annotated, Literal

from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import CallbackQuery, Message
from pydantic import Field

from domain.polls import CALL, MOST_OPTIONS
from handlers import aims
from handlers.keyboards import Number, Turn
from handlers.notice_taps import Moment
from services.poll_content import DESK, RESULT

POLL = "p"
"""Says in the audience picker that it is a poll which is aimed."""
Mask = Annotated[int, Field(ge=0, lt=2**MOST_OPTIONS)]
"""The options chosen so far, a bit each."""
OURS = (f"{CALL}:", f"{RESULT}:")
"""Beginnings of what the buttons of a pushed poll carry, and of nothing else."""


class Asking(StatesGroup):
    """What is awaited of a secretary."""

    question = State()
    options = State()
    opens = State()
    closes = State()
    number = State()
    change = State()


class Answering(StatesGroup):
    """What is awaited of a member; only the poll's id is kept with it."""

    suggestion = State()


class Call(CallbackData, prefix=CALL):
    """A step on a call: pick (this choice), sure (ask once), cast, change, see, suggest, why."""

    id: Number
    mask: Mask = 0
    step: str = "see"


class Tab(CallbackData, prefix="ptab"):
    """A page of a member's list: open, mine or past."""

    of: str = "open"
    page: Turn = 0


class Shown(CallbackData, prefix=RESULT):
    """A poll's result, as a member sees it."""

    id: Number


class Replies(CallbackData, prefix="prep"):
    """A page of the answers to a poll's suggestions."""

    id: Number
    page: Turn = 0


class PollDesk(CallbackData, prefix="pdesk"):
    """A page of a secretary's polls."""

    page: Turn = 0


class Own(CallbackData, prefix=DESK):
    """A poll of one's own, as far as it has come."""

    id: Number


class Edit(CallbackData, prefix="pedit"):
    """A step on a draft: next (what is missing), question, options, clear, usual, settings, test, discard, gone."""

    step: str
    id: Number


class Setting(CallbackData, prefix="pset"):
    """A setting of a draft, said outright, so that a tap that comes twice changes nothing."""

    id: Number
    field: str
    on: bool


class When(CallbackData, prefix="pwhen"):
    """A time of a draft, opens or closes: asked for, or set (seconds since the epoch; opens at 0: at once)."""

    of: str
    id: Number
    at: Moment = 0
    ask: bool = False


class Run(CallbackData, prefix="prun"):
    """A step on a poll: start, recall, early (asks), close, off (asks), cancel, publish."""

    step: str
    id: Number


class Doubt(CallbackData, prefix="pdoubt"):
    """Those who perhaps received the call or the result: ask (what again means), again, leave.

    `seen` is the generation looked at.
    """

    step: Literal["ask", "again", "leave"]
    id: Number
    seen: Number
    told: Literal["poll", "poll_result"]


def is_pushed(query: CallbackQuery) -> bool:
    """Say whether this is the call or result as it was pushed: a screen of ours also leads elsewhere."""
    message = query.message
    markup = message.reply_markup if isinstance(message, Message) else None
    buttons = [each for row in markup.inline_keyboard for each in row] if markup else []
    return all((each.callback_data or "").startswith(OURS) for each in buttons)


aims.register(
    POLL,
    aims.Aimed(
        service=lambda toolbox: toolbox.polls,
        title="polls.audience.title",
        onward="polls.button.next",
        back=lambda number: Own(id=number),
        next=lambda number: Edit(step="next", id=number),
    ),
)
