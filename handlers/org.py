"""Organisations: their public contact and mode, what is above and below, page by page."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery

from domain.organisations import Organisation
from domain.permissions import Actor
from handlers.keyboards import Event, Go, Number, Row, Turn, button, keyboard, pager, screen, show
from handlers.names import describe_kind, name_of
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.organisations import PAGE, Card
from services.toolbox import Toolbox


class Org(CallbackData, prefix="org"):
    """An organisation's card, at a page of what is below it."""

    id: Number
    page: Number = 0


class Tables(CallbackData, prefix="tables"):
    """The tables of an organisation; without a name, the choice of them."""

    id: Number
    table: str = ""


class Dissolve(CallbackData, prefix="dss"):
    """A step of asking to dissolve an organisation: see, targets (a page of them), go on, ask."""

    step: str = "see"
    id: Number
    target: Number = 0
    page: Turn = 0


@command("org")
@members_only
async def on_org(event: Event, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    """Show one's own organisation."""
    await _show(event, toolbox, actor, words, Org(id=actor.home_id))


@tap(Org)
@members_only
async def on_card(query: CallbackQuery, tap: Org, toolbox: Toolbox, actor: Actor, words: Words) -> None:
    await _show(query, toolbox, actor, words, tap)


async def _show(event: Event, toolbox: Toolbox, actor: Actor, words: Words, at: Org) -> None:
    page = at.page
    card = await toolbox.organisations.card(actor, at.id, page)
    own = card.organisation
    text = screen(
        name_of(words, own),
        _facts(words, card),
        words("org.contact", contact=own.contact) if own.contact else words("org.contact.none"),
        _below(words, card),
    )
    above = Org(id=own.parent_id) if own.parent_id is not None else None
    rows: list[Row] = []
    if above is not None:
        rows.append([button(words("org.above", name=name_of(words, card.chain[-2])), above)])
    rows.extend([button(_label(words, child), Org(id=child.id))] for child in card.children.items)
    turns = [Org(id=own.id, page=max(page - 1, 0)), Org(id=own.id, page=page + 1)]
    more = card.children.total > (page + 1) * PAGE
    rows.append(pager(words, page, more=more, to=turns))
    if card.counts is not None:
        rows.append([button(words("exports.button"), Tables(id=own.id))])
    if card.may_manage and above is not None:
        rows.append([button(words("dissolve.button.card"), Dissolve(id=own.id))])
    if own.id != actor.home_id:
        rows.append([button(words("org.mine"), Go(to="org"))])
    await show(event, text, keyboard(words, *rows))


def _facts(words: Words, card: Card) -> str:
    own = card.organisation
    lines = [describe_kind(words, own), words(f"org.level.{own.level}")]
    if own.regional_mode is not None:
        lines.append(words("org.mode", mode=words(f"org.mode.{own.regional_mode}")))
    if len(card.chain) > 1:
        lines.append(words("org.chain", chain=" › ".join(name_of(words, one) for one in card.chain[:-1])))
    if card.counts is not None:
        lines.append(
            words("org.counts", organisations=card.counts.organisations, members=card.counts.members)
        )
    return "\n".join(lines)


def _below(words: Words, card: Card) -> str:
    if not card.children.total:
        return ""
    return words.plural("org.below", card.children.total)


def _label(words: Words, child: Organisation) -> str:
    return f"{name_of(words, child)} ›"
