"""Reading and writing a roster beside the chat: the screen says how far it is, and the chat goes on."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Any

import structlog
from aiogram.exceptions import TelegramAPIError
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, Message
from aiogram.utils.formatting import Text

from domain.permissions import Actor
from domain.refusals import Refusal
from domain.roster import Bad, Import, ImportState
from handlers.import_words import Roll, outcome, outcome_rows
from handlers.keyboards import button, keyboard, screen
from locales import Words
from services import roster_words
from services.roster_staging import Progress
from services.toolbox import Toolbox

log = structlog.get_logger(__name__)
EVERY = 2.0
"""Seconds between two edits of one message: messengers take no more."""
Screen = tuple[Text, InlineKeyboardMarkup]
_running: set[asyncio.Task[None]] = set()
_KEYS = {"read": "roster.reading", "compare": "roster.comparing"}


def begin_reading(message: Message, toolbox: Toolbox, actor: Actor, words: Words, import_id: int) -> None:
    """Stage the rows and show what would be done, in this message."""

    async def work(progress: Progress) -> Import:
        return await toolbox.roster.prepare(actor, import_id, progress)

    _spawn(_carry_out(message, toolbox, actor, words, import_id, work))


def begin_writing(message: Message, toolbox: Toolbox, actor: Actor, words: Words, import_id: int) -> None:
    """Write what was staged, and show what was done, in this message; bad rows come as a file below."""

    async def work(_progress: Progress) -> Import:
        before = await toolbox.roster.for_actor(actor, import_id)
        bad = None
        if before.figures.bad and before.state is ImportState.READY:
            bad = await bad_rows_file(toolbox, actor, words, import_id)
        done = await toolbox.roster.apply(actor, import_id, skip_bad=True)
        if bad is not None:
            await message.answer_document(bad, caption=words("roster.sent"))
        return done

    _spawn(_carry_out(message, toolbox, actor, words, import_id, work))


async def bad_rows_file(toolbox: Toolbox, actor: Actor, words: Words, import_id: int) -> BufferedInputFile:
    """Return the bad rows as a document to correct."""
    name, data = await toolbox.roster.to_correct(
        actor, import_id, words("roster.why"), lambda bad: roster_words.reason(words, bad)
    )
    return BufferedInputFile(data, name)


async def idle() -> None:
    """Wait until nothing is under way."""
    while _running:
        await asyncio.gather(*_running)


async def stop() -> None:
    """Let go of what is under way: what was being read can be read again, and writing is all or nothing."""
    for task in _running:
        task.cancel()
    await asyncio.gather(*_running, return_exceptions=True)


def _spawn(work: Coroutine[Any, Any, None]) -> None:
    """Run beside the update that asked for it, whose transactions are over when it is answered."""
    task = asyncio.create_task(work, context=Context())
    _running.add(task)
    task.add_done_callback(_running.discard)


async def _carry_out(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    import_id: int,
    work: Callable[[Progress], Awaitable[Import]],
) -> None:
    last = time.monotonic()

    async def progress(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            await _edit(message, *_under_way(words, import_id, what, done, total))

    back = keyboard(words, [button(words("roster.button.columns"), Roll(step="columns", id=import_id))])
    try:
        found = await work(progress)
        bad = await toolbox.roster.bad_rows(actor, import_id, limit=10)
    except Refusal as refusal:
        await _edit(message, screen(words("roster.title"), words(refusal.key, **refusal.fields)), back)
    except Exception:
        log.exception("import_failed", import_id=import_id)
        await _edit(message, screen(words("roster.title"), words("roster.stalled")), back)
    else:
        await _edit(message, *outcome_screen(words, found, bad))


def outcome_screen(words: Words, found: Import, bad: list[Bad]) -> Screen:
    """Return the screen of what would be done, or was."""
    rows = outcome_rows(words, found)
    return screen(words("roster.title"), *outcome(words, found, bad)), keyboard(words, *rows)


def under_way_screen(words: Words, found: Import) -> Screen:
    """Return the screen of an import that is being read."""
    return _under_way(words, found.id, "read", found.staged, max(found.look.about, found.staged))


def _under_way(words: Words, import_id: int, what: str, done: int, total: int) -> Screen:
    text = screen(
        words("roster.title"), words(_KEYS[what], done=done, total=total), words("roster.meanwhile")
    )
    rows = [button(words("roster.button.refresh"), Roll(step="open", id=import_id))]
    return text, keyboard(words, rows)


async def _edit(message: Message, text: Text, markup: InlineKeyboardMarkup) -> None:
    """Edit the message; a person who has left it loses nothing, the import can be opened again."""
    try:
        await message.edit_text(**text.as_kwargs(), reply_markup=markup)
    except TelegramAPIError as error:
        log.info("import_not_shown", why=type(error).__name__)
