"""A repeating notice on the screen: when it comes, its next dates, its last copies; and the list of all."""

from domain.permissions import Actor
from handlers.keyboards import Event, Row, button, keyboard, pager, screen, show
from handlers.notice_taps import Desk, Draft
from handlers.notice_words import desk_line, headline, media_line, opening
from handlers.repeat_taps import Repeat, Repeaters
from handlers.repeat_words import outlook_lines, pattern_words
from locales import Words
from services.repeats import codes
from services.toolbox import Toolbox


async def show_repeating(event: Event, toolbox: Toolbox, actor: Actor, words: Words, notice_id: int) -> None:
    """Show one: what, when, the next five dates, and what can be done."""
    found = await toolbox.repeats.look(actor, notice_id)
    ahead = outlook_lines(words, found.next, found.rule)
    text = screen(
        words("repeats.paused.title" if found.paused else "repeats.title"),
        opening(words, found.notice),
        media_line(words, found.notice),
        words("repeats.when", pattern=pattern_words(words, found.rule)),
        words("repeats.paused.what") if found.paused else words("repeats.next", lines=ahead),
        words("repeats.copies") if found.copies else "",
    )
    rows: list[Row] = [[button(desk_line(words, one), Draft(step="open", id=one.id))] for one in found.copies]
    pause = "resume" if found.paused else "pause"
    code, at = codes(found.rule)
    rows += [
        [
            button(words(f"repeats.button.{pause}"), Repeat(step=pause, id=notice_id)),
            button(words("repeats.button.change"), Repeat(step="show", id=notice_id, code=code, at=at)),
        ],
        [
            button(words("repeats.button.edit"), Repeat(step="edit", id=notice_id)),
            button(words("repeats.button.stop"), Repeat(step="stop", id=notice_id)),
        ],
    ]
    await show(event, text, keyboard(words, *rows, back=Repeaters()))


async def show_list(event: Event, toolbox: Toolbox, actor: Actor, words: Words, page: int = 0) -> None:
    """List what repeats from the actor's subtrees."""
    found, more = await toolbox.repeats.listed(actor, page)
    rows: list[Row] = [
        [button(f"🔁 {headline(words, one)}", Repeat(step="look", id=one.id))] for one in found
    ]
    rows.append(pager(words, page, more=more, to=[Repeaters(page=page - 1), Repeaters(page=page + 1)]))
    text = screen(words("repeats.list.title"), words("repeats.list.what" if found else "repeats.list.empty"))
    await show(event, text, keyboard(words, *rows, back=Desk()))
