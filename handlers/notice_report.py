"""What became of a notice: totals, trying the failed again, and who still needs a call."""

from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message
from aiogram.utils.formatting import Text

from domain.accounts import Address
from domain.delivery import DeliveryState
from domain.digests import IN_DIGEST
from domain.notices import NoticeState
from domain.permissions import Actor
from handlers import doubts
from handlers.keyboards import Event, Row, button, keyboard, pager, screen, show
from handlers.notice_taps import Desk, Doubt, Look, Nudge, Progress
from handlers.notice_words import headline
from handlers.taps import tap
from handlers.times import moment
from handlers.welcome import members_only
from locales import Words
from services.delivery import Figures
from services.notice_reports import Report
from services.senders import author_of
from services.toolbox import Toolbox
from storage.notices import Pending

_COUNTS = ("unreachable", "skipped", "rejected", "failed", "unknown")
_REASONS = ("skipped", "unreachable")


@tap(Look)
@members_only
async def on_look(
    query: CallbackQuery, tap: Look, toolbox: Toolbox, actor: Actor, words: Words, address: Address
) -> None:
    if tap.step == "calls":
        await _show_calls(query, toolbox, actor, words, tap)
        return
    if isinstance(query.message, Message):
        await toolbox.notices.reports.forget(address, query.message.message_id)
    await show_report(query, toolbox, actor, words, tap.id)


async def show_report(event: Event, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int) -> None:
    report = await toolbox.notices.reports.of(actor, notice_id)
    text, markup = report_screen(words, report)
    await show(event, text, markup)


def report_screen(words: Words, report: Report) -> tuple[Text, InlineKeyboardMarkup]:
    """Lay out a report: it is shown on request, and when the progress is over."""
    found, figures = report.notice, report.figures
    text = screen(
        words(f"report.title.{found.state}"),
        words("report.of", headline=headline(words, found, 100)),
        _when(words, report),
        figure_lines(words, figures) if figures else words("report.nothing"),
        words("report.confirmed", n=report.confirmed, sent=figures.sent if figures else 0)
        if found.needs_confirmation
        else "",
        words("nudge.report", n=report.nudged.members, when=moment(words, report.nudged.at))
        if report.nudged
        else "",
        _advice(words, report),
    )
    return text, keyboard(words, *_rows(words, report), back=Desk())


def figure_lines(words: Words, figures: Figures) -> str:
    """Write the totals that are not zero, and why some got nothing."""
    lines = [words("report.planned", n=figures.planned), words("report.sent", n=figures.sent)]
    gathered = figures.skipped_by_reason.get(IN_DIGEST, 0)
    if gathered:
        lines.append(words("report.gathered", n=gathered))
    for name in _COUNTS:
        count = getattr(figures, name) - (gathered if name == "skipped" else 0)
        if count:
            lines.append(words(f"report.{name}", n=count))
            lines.extend(_reasons(words, figures, name))
    waiting = figures.waiting + figures.held
    if waiting:
        lines.append(words("report.waiting", n=waiting))
    if figures.held:
        lines.append(words("report.held", n=figures.held))
    return "\n".join(lines)


def _reasons(words: Words, figures: Figures, state: str) -> list[str]:
    """Name the reasons we have words for; a server's own words are for the log."""
    if state not in _REASONS:
        return []
    counted: dict[str, int] = {}
    for (each, reason), count in figures.reasons.items():
        if each == state and reason != IN_DIGEST:
            key = f"report.reason.{reason}"
            key = key if key in words else "report.reason.other"
            counted[key] = counted.get(key, 0) + count
    return [words("report.reason", reason=words(key), n=count) for key, count in sorted(counted.items())]


def _when(words: Words, report: Report) -> str:
    found = report.notice
    name = found.sender.organisation(words.language)
    if found.sent_at is None:
        return words("report.from", organisation=name, author=author_of(words, found.sender.author))
    when = moment(words, found.sent_at)
    return words("report.from_at", organisation=name, author=author_of(words, found.sender.author), when=when)


def _advice(words: Words, report: Report) -> str:
    figures = report.figures
    if figures is None:
        return ""
    if figures.failed and report.may_control:
        return words("report.advice.retry")
    if decides(report):
        return words("report.advice.parked", n=figures.parked)
    if figures.unknown:
        return words("report.advice.unknown")
    return words("report.advice.no_account") if figures.skipped_by_reason.get("no_account") else ""


def decides(report: Report) -> int:
    """Count those about whom this actor may decide; what was cancelled is sent to nobody again."""
    if report.figures is None or not report.may_control or report.notice.state is NoticeState.CANCELLED:
        return 0
    return report.figures.parked


def _rows(words: Words, report: Report) -> list[Row]:
    found, figures = report.notice, report.figures
    rows: list[Row] = []
    if report.may_control and figures and figures.failed and found.state is NoticeState.SENT:
        retry = Progress(step="retry", id=found.id)
        rows.append([button(words("report.button.retry", n=figures.failed), retry)])
    if figures and decides(report):
        seen = figures.generation
        rows.append(doubts.row(words, figures.parked, lambda step: Doubt(step=step, id=found.id, seen=seen)))
    if report.to_call:
        rows.append([button(words("report.button.calls", n=report.to_call), Look(step="calls", id=found.id))])
    if (
        report.may_nudge
        and figures
        and report.confirmed < figures.sent + figures.skipped_by_reason.get(IN_DIGEST, 0)
    ):
        rows.append([button(words("nudge.button.ask"), Nudge(step="ask", id=found.id))])
    if found.state is NoticeState.SENDING:
        rows.append([button(words("report.button.progress"), Progress(step="look", id=found.id))])
    else:
        rows.append([button(words("report.button.again"), Look(step="look", id=found.id))])
    return rows


async def _show_calls(query: CallbackQuery, toolbox: Toolbox, actor: Actor, words: Words, at: Look) -> None:
    found, pending, more = await toolbox.notices.reports.calls(actor, at.id, max(at.page, 0))
    lines = "\n".join(_call(words, one) for one in pending)
    text = screen(
        words("report.calls.title"),
        words("report.of", headline=headline(words, found, 100)),
        lines or words("report.calls.none"),
        words("report.calls.hint") if lines else "",
    )
    turns = [at.model_copy(update={"page": at.page + turn}) for turn in (-1, 1)]
    back = Look(step="look", id=at.id)
    reached = await toolbox.notices.reports.may_see(actor, at.id)
    rows = [pager(words, at.page, more=more, to=turns)]
    if lines:
        rows.append([button(words("nudge.button.ask"), Nudge(step="ask", id=at.id))])
    await show(query, text, keyboard(words, *rows, back=back if reached else None))


def _call(words: Words, one: Pending) -> str:
    if one.gathered:
        return words("report.call.gathered", name=one.name)
    key = "report.call.reached" if one.state is DeliveryState.SENT else "report.call.unreached"
    return words(key, name=one.name)
