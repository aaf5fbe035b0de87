"""Those who perhaps received a poll's call or its result: whoever may run the poll sends it again, or leaves it."""

from functools import partial

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from domain.clock import Clock
from domain.permissions import Actor
from handlers import doubts
from handlers.keyboards import show
from handlers.poll_run import or_as_it_is, show_poll
from handlers.poll_taps import Doubt, Own
from handlers.poll_words import asked
from handlers.taps import tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


@tap(Doubt)
@members_only
@or_as_it_is
async def on_doubt(
    query: CallbackQuery,
    tap: Doubt,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    clock: Clock,
) -> None:
    """Obey a press; right and state are looked at again, and the same press again changes nothing."""
    if tap.step == "ask":
        found = await toolbox.polls.for_actor(actor, tap.id)
        doubtful = await toolbox.polls.doubtful(actor, tap.id)
        if doubtful is not None and doubtful.told == tap.told:
            text, markup = doubts.question(
                words, doubtful.count, partial(_step, tap), about=asked(words, found), back=Own(id=tap.id)
            )
            await show(query, text, markup)
            return
    else:
        again = tap.step == "again"
        await toolbox.polls.resolve_unknown(actor, tap.id, told=tap.told, again=again, seen=tap.seen)
    await show_poll(query, toolbox, actor, words, state, clock, tap.id)


def _step(at: Doubt, step: str) -> Doubt:
    return Doubt(step=step, id=at.id, seen=at.seen, told=at.told)
