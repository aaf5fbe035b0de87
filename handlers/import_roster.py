"""Importing a roster in the chat: the document, what its columns mean, what it would do, and doing it."""

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State, StatesGroup
from aiogram.types import BufferedInputFile, CallbackQuery, Message

from domain.accounts import Account
from domain.permissions import Action, Actor
from domain.refusals import NotAllowed
from domain.roster import COLUMNS, Column, Import, ImportState
from domain.roster_refusals import SheetTooLarge
from handlers import import_run, import_words
from handlers.import_words import Roll, RollColumn, RollPlace
from handlers.keyboards import Event, Row, button, chat_of, keyboard, screen, show
from handlers.names import name_of
from handlers.taps import command, tap
from handlers.welcome import members_only
from locales import Words
from services.roster_files import LARGEST
from services.toolbox import Toolbox

router = Router(name="import_roster")


class Importing(StatesGroup):
    """What is awaited: the document."""

    document = State()


@command("import")
@members_only
async def on_import(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, account: Account
) -> None:
    """Show the import that is open, or ask for a document."""
    places = await toolbox.organisations.roots(actor, Action.MANAGE_ORGANISATION)
    if not places:
        raise NotAllowed
    if not toolbox.own_data.may_send(account):
        await show(event, screen(words("roster.title"), words("roster.abroad")), keyboard(words))
        return
    found = await toolbox.roster.current(actor)
    if found is not None:
        await _show(event, toolbox, actor, words, state, found)
    elif len(places) > 1:
        rows: list[Row] = [[button(name_of(words, each), RollPlace(id=each.id))] for each in places]
        await show(event, screen(words("roster.title"), words("roster.where")), keyboard(words, *rows))
    else:
        await _ask(event, words, state, places[0].id, name_of(words, places[0]))


@tap(RollPlace)
@members_only
async def on_place(
    query: CallbackQuery, tap: RollPlace, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext
) -> None:
    place = await toolbox.organisations.for_actor(actor, tap.id, Action.MANAGE_ORGANISATION)
    await _ask(query, words, state, place.id, name_of(words, place))


async def _ask(event: Event, words: Words, state: FSMContext, place_id: int, name: str) -> None:
    await state.set_state(Importing.document)
    await state.set_data({"place": place_id})
    await show(event, screen(words("roster.title"), words("roster.ask", place=name)), keyboard(words))


@router.message(Importing.document, F.document)
@members_only
async def on_document(
    message: Message,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    bot: Bot,
    account: Account,
) -> None:
    """Take the file, and show how its columns are understood."""
    document = message.document
    if document is None or not toolbox.own_data.may_send(account):
        return
    if (document.file_size or 0) > LARGEST:
        raise SheetTooLarge(megabytes=LARGEST // 1024**2)
    stream = await bot.download(document.file_id)
    data = stream.read() if stream else b""
    place_id = (await state.get_data()).get("place")
    begun = await toolbox.roster.begin(actor, data, document.file_name or "", organisation_id=place_id)
    await _show(message, toolbox, actor, words, state, begun)


@router.message(Importing.document)
@members_only
async def on_something_else(message: Message, words: Words) -> None:
    await show(message, screen(words("roster.title"), words("roster.unfit")), keyboard(words))


@tap(Roll)
@members_only
async def on_step(
    query: CallbackQuery,
    tap: Roll,
    toolbox: Toolbox,
    actor: Actor,
    words: Words,
    state: FSMContext,
    bot: Bot,
) -> None:
    found = await toolbox.roster.for_actor(actor, tap.id)
    if found.state in {ImportState.DONE, ImportState.CANCELLED} and tap.step != "open":
        await _show(query, toolbox, actor, words, state, found)
        return
    match tap.step:
        case "look":
            shown = await show(query, *import_run.under_way_screen(words, found))
            if found.state is not ImportState.STAGING or toolbox.roster.stalled(found):
                import_run.begin_reading(shown, toolbox, actor, words, found.id)
        case "write":
            await state.clear()
            shown = await show(query, screen(words("roster.title"), words("roster.writing")))
            import_run.begin_writing(shown, toolbox, actor, words, found.id)
        case "ask":
            await _ask_sure(query, words, found)
        case "bad" | "missing":
            await _send_file(query, tap.step, toolbox, actor, words, bot, found)
        case "drop":
            await toolbox.roster.cancel(actor, found.id)
            await state.clear()
            await show(query, screen(words("roster.title"), words("roster.dropped")), keyboard(words))
        case "turn":
            turned = await toolbox.roster.turn(actor, found.id, import_words.other_kind(found.kind))
            await _show_columns(query, toolbox, words, turned)
        case "columns":
            await _show_columns(query, toolbox, words, found)
        case _:
            await _show(query, toolbox, actor, words, state, found)


@tap(RollColumn)
@members_only
async def on_column(
    query: CallbackQuery, tap: RollColumn, toolbox: Toolbox, actor: Actor, words: Words
) -> None:
    """Let a column mean something else."""
    found = await toolbox.roster.for_actor(actor, tap.id)
    if tap.to:
        wanted = next((each for each in Column if each.value == tap.to), None)
        found = await toolbox.roster.give(actor, tap.id, tap.at, wanted)
        await _show_columns(query, toolbox, words, found)
        return
    heading = next((each.text for each in found.look.headings if each.index == tap.at), "")
    rows: list[Row] = [
        [button(import_words.named(words, each), RollColumn(id=tap.id, at=tap.at, to=each.value))]
        for each in COLUMNS[found.kind]
    ]
    rows.append([button(words("roster.column.unused"), RollColumn(id=tap.id, at=tap.at, to="-"))])
    text = screen(words("roster.title"), words("roster.choose", heading=heading))
    await show(query, text, keyboard(words, *rows, back=Roll(step="columns", id=tap.id)))


async def _show(
    event: Event, toolbox: Toolbox, actor: Actor, words: Words, state: FSMContext, found: Import
) -> None:
    """Show an import as far as it has come; while it is open, a corrected file may take its place."""
    if found.state in {ImportState.MAPPING, ImportState.READY}:
        await state.set_state(Importing.document)
        await state.set_data({"place": found.organisation_id})
    match found.state:
        case ImportState.MAPPING:
            await _show_columns(event, toolbox, words, found)
        case ImportState.STAGING if not toolbox.roster.stalled(found):
            await show(event, *import_run.under_way_screen(words, found))
        case ImportState.STAGING:
            rows: list[Row] = [[button(words("roster.button.again"), Roll(step="look", id=found.id))]]
            await show(event, screen(words("roster.title"), words("roster.stalled")), keyboard(words, *rows))
        case ImportState.CANCELLED:
            await show(event, screen(words("roster.title"), words("roster.over")), keyboard(words))
        case _:
            bad = await toolbox.roster.bad_rows(actor, found.id, limit=10)
            await show(event, *import_run.outcome_screen(words, found, bad))


async def _show_columns(event: Event, toolbox: Toolbox, words: Words, found: Import) -> None:
    place = name_of(words, await toolbox.roster.place(found))
    text = screen(
        words("roster.title"), import_words.facts(words, found, place), import_words.columns(words, found)
    )
    other = import_words.other_kind(found.kind)
    rows = [
        *import_words.column_rows(words, found),
        [button(words(f"roster.button.turn.{other.value}"), Roll(step="turn", id=found.id))],
        [
            button(words("roster.button.cancel"), Roll(step="drop", id=found.id)),
            button(words("roster.button.look"), Roll(step="look", id=found.id)),
        ],
    ]
    await show(event, text, keyboard(words, *rows))


async def _ask_sure(query: CallbackQuery, words: Words, found: Import) -> None:
    figures = found.figures
    said = words(
        "roster.sure",
        n=figures.writes,
        created=figures.created,
        changed=figures.changed,
        moved=figures.moved,
    )
    skipped = words("roster.sure.bad", bad=figures.bad) if figures.bad else ""
    rows: list[Row] = [[button(words("roster.button.sure"), Roll(step="write", id=found.id))]]
    await show(
        query,
        screen(words("roster.title"), said, skipped),
        keyboard(words, *rows, back=Roll(step="open", id=found.id)),
    )


async def _send_file(
    query: CallbackQuery, what: str, toolbox: Toolbox, actor: Actor, words: Words, bot: Bot, found: Import
) -> None:
    """Send the bad rows, or who is missing, as a document below."""
    if what == "bad":
        file, caption = await import_run.bad_rows_file(toolbox, actor, words, found.id), words("roster.sent")
    else:
        titles = [words("roster.column.name"), words("roster.column.organisation")]
        data = await toolbox.roster.missing(actor, found.id, titles)
        file = BufferedInputFile(data, f"{words('roster.file.missing')}.xlsx")
        caption = words("roster.sent.missing")
    rows: list[Row] = [[button(words("menu.back"), Roll(step="open", id=found.id))]]
    await bot.send_document(chat_of(query), file, caption=caption, reply_markup=keyboard(words, *rows))
    await query.answer()
