"""One message that shows how a notice goes out, edited in place, with pause, resume and cancel.

The message is kept with the dispatch, so that after a restart it is picked up again; the process calls
`refresh` every two seconds.
"""

from collections.abc import Mapping

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.formatting import Text

from domain.accounts import Address
from domain.clock import Clock, day_of
from domain.delivery import DispatchState
from domain.permissions import Actor
from domain.refusals import Refusal
from handlers.keyboards import Event, button, screen, show
from handlers.notice_report import figure_lines, report_screen
from handlers.notice_taps import Desk, Look, Progress
from handlers.notice_words import headline
from handlers.taps import tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words, speak
from services.delivery import Figures
from services.notice_reports import Report
from services.toolbox import Toolbox
from storage.progress import Watched

log = structlog.get_logger(__name__)
UNCHANGED = "message is not modified"
BAR = 12


@tap(Progress)
@members_only
async def on_progress(
    query: CallbackQuery, tap: Progress, toolbox: Toolbox, actor: Actor, words: Words, address: Address
) -> None:
    """Obey a press; the right is checked at each."""
    notices = toolbox.notices
    if tap.step == "ask":
        await _ask(query, toolbox, actor, words, address, tap.id)
        return
    if tap.step == "pause":
        await notices.pause(actor, tap.id)
    elif tap.step == "resume":
        await notices.resume(actor, tap.id)
    elif tap.step == "cancel":
        await notices.cancel(actor, tap.id)
    elif tap.step == "retry":
        await notices.retry_failed(actor, tap.id)
    await show_progress(query, toolbox, actor, words, address, tap.id)


async def show_progress(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, address: Address, notice_id: int
) -> None:
    """Show the progress, and keep it fresh until it is over."""
    report = await toolbox.notices.reports.of(actor, notice_id)
    text, markup = progress_screen(words, report)
    shown = await show(event, text, markup)
    if is_open(report):
        await toolbox.notices.reports.watch(actor, notice_id, address, shown.message_id)
    else:
        await toolbox.notices.reports.forget(address, shown.message_id)


async def refresh(bots: Mapping[int, Bot], toolbox: Toolbox, clock: Clock, shown: dict[Address, str]) -> None:
    """Bring all progress messages of these accounts up to date; `shown` remembers what each one says."""
    for watched in await toolbox.notices.reports.watched():
        bot = bots.get(watched.to.account_id)
        if bot is not None:
            await _refresh_one(bot, toolbox, clock, shown, watched)


async def _refresh_one(
    bot: Bot, toolbox: Toolbox, clock: Clock, shown: dict[Address, str], watched: Watched
) -> None:
    """Edit one message if it says something else by now; whoever lost the right sees no more of it."""
    if watched.resting and shown.get(watched.to, "").startswith(_key(watched)):
        return
    reports = toolbox.notices.reports
    behind = await toolbox.people.looking(watched.to, day_of(clock()))
    words = speak(behind.language, at_home=behind.account.at_home)
    try:
        report = None if behind.actor is None else await reports.of(behind.actor, watched.source_id)
    except Refusal:
        report = None
    over = report is None or not is_open(report)
    if report is not None:
        text, markup = progress_screen(words, report)
        said = _key(watched) + text.render()[0]
        if shown.get(watched.to) != said:
            over |= not await _edit(bot, watched, text, markup)
            shown[watched.to] = said
    if over:
        shown.pop(watched.to, None)
        await reports.forget(watched.to, watched.message_id)


def _key(watched: Watched) -> str:
    """Name the message; while all that is left is held, it needs to be looked at only once."""
    return f"{watched.message_id} {'resting' if watched.resting else 'moving'} "


async def _edit(bot: Bot, watched: Watched, text: Text, markup: InlineKeyboardMarkup) -> bool:
    """Edit the message; `False` if it is gone. A busy server is asked again with the next tick."""
    try:
        await bot.edit_message_text(
            **text.as_kwargs(),
            chat_id=watched.to.chat_id,
            message_id=watched.message_id,
            reply_markup=markup,
        )
    except (TelegramBadRequest, TelegramForbiddenError) as error:
        return UNCHANGED in error.message
    except TelegramAPIError as error:
        log.info("progress_not_shown", error=type(error).__name__)
    return True


def is_open(report: Report) -> bool:
    return report.figures is not None and report.figures.state in {
        DispatchState.RUNNING,
        DispatchState.PAUSED,
    }


def progress_screen(words: Words, report: Report) -> tuple[Text, InlineKeyboardMarkup]:
    """Lay out the progress; when it is over, the report."""
    figures = report.figures
    if figures is None or not is_open(report):
        return report_screen(words, report)
    text = screen(
        words(f"progress.title.{figures.state}"),
        words("report.of", headline=headline(words, report.notice, 100)),
        _bar(figures),
        figure_lines(words, figures),
        _state_line(words, figures),
    )
    return text, _controls(words, report, figures)


def _bar(figures: Figures) -> str:
    done = figures.planned - figures.waiting - figures.held
    share = done / figures.planned if figures.planned else 1.0
    full = int(share * BAR)
    return f"{'▰' * full}{'▱' * (BAR - full)} {int(share * 100)}%"


def _state_line(words: Words, figures: Figures) -> str:
    if figures.state is DispatchState.PAUSED:
        key = f"progress.paused.{figures.pause_reason}"
        return words(key if key in words else "progress.paused.by_hand")
    if figures.stopped_accounts:
        return words("halts.progress")
    if figures.stands_still:
        return words("progress.still")
    said = []
    if figures.per_second:
        said.append(words("progress.rate", n=f"{figures.per_second:g}"))
    if figures.expected_finish is not None:
        key = "progress.estimate" if figures.estimated else "progress.finish"
        said.append(words(key, when=moment(words, figures.expected_finish)))
    return " · ".join(said)


def _controls(words: Words, report: Report, figures: Figures) -> InlineKeyboardMarkup:
    """Leave by our own button only, so that the message is let go before it becomes another screen."""
    number = report.notice.id
    rows = []
    if report.may_control:
        running = figures.state is DispatchState.RUNNING
        step = "pause" if running else "resume"
        rows.append(
            [
                button(words(f"progress.button.{step}"), Progress(step=step, id=number)),
                button(words("progress.button.cancel"), Progress(step="ask", id=number)),
            ]
        )
    rows.append([button(words("progress.button.report"), Look(step="look", id=number))])
    rows.append([button(words("menu.back"), Desk())])
    return InlineKeyboardMarkup(inline_keyboard=rows)


async def _ask(
    query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, address: Address, notice_id: int
) -> None:
    """Ask before cancelling; the message is let go meanwhile, so that the question stays."""
    report = await toolbox.notices.reports.of(actor, notice_id)
    if isinstance(query.message, Message):
        await toolbox.notices.reports.forget(address, query.message.message_id)
    left = report.figures.waiting + report.figures.held if report.figures else 0
    rows = [
        [button(words("progress.button.sure"), Progress(step="cancel", id=notice_id))],
        [button(words("progress.button.go_on"), Progress(step="look", id=notice_id))],
    ]
    text = screen(words("progress.ask.title"), words("progress.ask.what", n=left))
    await show(query, text, InlineKeyboardMarkup(inline_keyboard=rows))
