"""Those who perhaps received a notice: whoever may control it sends it to them again, or leaves it at that."""

from functools import partial

from aiogram.types import CallbackQuery, Message

from domain.accounts import Address
from domain.permissions import Actor
from handlers import doubts
from handlers.keyboards import show
from handlers.notice_progress import show_progress
from handlers.notice_report import decides, show_report
from handlers.notice_taps import Doubt, Look
from handlers.notice_words import headline
from handlers.taps import tap
from handlers.welcome import members_only
from locales import Words
from services.toolbox import Toolbox


@tap(Doubt)
@members_only
async def on_doubt(
    query: CallbackQuery, tap: Doubt, toolbox: Toolbox, actor: Actor, words: Words, address: Address
) -> None:
    """Obey a press; right and state are looked at again, and the same press again changes nothing."""
    if isinstance(query.message, Message):
        await toolbox.notices.reports.forget(address, query.message.message_id)
    if tap.step == "ask":
        await _ask(query, toolbox, actor, words, tap)
        return
    again = tap.step == "again"
    await toolbox.notices.resolve_unknown(actor, tap.id, again=again, seen=tap.seen)
    if again:
        await show_progress(query, toolbox, actor, words, address, tap.id)
    else:
        await show_report(query, toolbox, actor, words, tap.id)


async def _ask(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, at: Doubt) -> None:
    """Say what sending again means; where nobody is in doubt any more, show the report as it is."""
    report = await toolbox.notices.reports.of(actor, at.id)
    count = decides(report)
    if not count:
        await show_report(query, toolbox, actor, words, at.id)
        return
    about = words("report.of", headline=headline(words, report.notice, 100))
    step = partial(_step, at)
    text, markup = doubts.question(words, count, step, about=about, back=Look(step="look", id=at.id))
    await show(query, text, markup)


def _step(at: Doubt, step: str) -> Doubt:
    return Doubt(step=step, id=at.id, seen=at.seen)
