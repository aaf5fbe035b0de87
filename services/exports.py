"""Tables that go out: members and organisations as an import takes them in, reports and results as totals.

Who asks gets what their role may see; no actor is the operator. Each table is noted in the audit, and each
member in it sees that it was made.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from domain.clock import Clock, day_of
from domain.exports import IN_CHAT, NEEDED, NotInChat, Table, TableEmpty
from domain.organisations import chain_of, contains
from domain.permissions import Actor
from domain.phones import written
from domain.poll_counting import within
from domain.refusals import NotAllowed, NotFound
from domain.roster import COLUMNS, Column, RosterKind
from locales import Words, speak
from services.audit import Audit
from services.poll_booth import counted, total
from services.sheets import Cell, SheetForm, sheet_bytes
from storage import exports, organisations, polls
from storage.database import Database, Session
from storage.sealing import Sealer

PHONE = "member.phone"
_LONGEST = 200
Row = Sequence[Cell]
_COUNTS = (*exports.COUNTED, "confirmed")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which table, for whom (`None`: the operator), from which subtree (`None`: all they may see), how worded."""

    table: Table
    actor: Actor | None = None
    root_id: int | None = None
    language: str = "zh_CN"
    phones: bool = True


class Exports:
    """Writes tables row by row, so that memory stays flat."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._sealer = sealer

    async def rows(self, wish: Wish) -> AsyncGenerator[Row, None]:
        """Yield the headings and then the rows; what is read is noted before the first of them."""
        makers: dict[Table, Callable[..., AsyncGenerator[Row, None]]] = {
            Table.MEMBERS: self._members,
            Table.ORGANISATIONS: self._organisations,
            Table.DELIVERY_REPORT: self._notices,
            Table.POLLS: self._polls,
        }
        async with self._database.begin() as session:
            paths = await self._paths(session, wish)
            until = await self._note(session, wish, paths)
        async with (
            self._database.read() as session,
            aclosing(makers[wish.table](session, wish, paths, until)) as made,
        ):
            async for row in made:
                yield row

    async def document(self, wish: Wish, form: SheetForm = SheetForm.XLSX) -> tuple[str, bytes]:
        """Return a table of totals as a file for a chat: its name and content."""
        if wish.table not in IN_CHAT:
            raise NotInChat
        title = speak(wish.language)(f"exports.table.{wish.table}")
        rows = [row async for row in self.rows(wish)]
        if len(rows) == 1:
            raise TableEmpty
        content = await asyncio.to_thread(sheet_bytes, rows, form, title)  # twenty thousand rows take seconds
        return f"{title}-{day_of(self._clock())}.{form}", content

    async def _paths(self, session: Session, wish: Wish) -> list[str]:
        """Return the subtrees that are meant; refuses what the actor may not see there."""
        root = None
        if wish.root_id is not None:
            root = await organisations.get(session, wish.root_id)
            if root is None:
                raise NotFound
        if wish.actor is None:
            return [root.path] if root else await exports.top_paths(session)
        on = day_of(self._clock())
        held = [grant.path for grant in wish.actor.nodes(NEEDED[wish.table], on)]
        if not held:
            raise NotAllowed
        if root is None:
            return held
        if not any(contains(path, root.path) for path in held):
            raise NotFound
        return [root.path]

    async def _note(self, session: Session, wish: Wish, paths: Sequence[str]) -> int:
        """Write down what goes out; returns the last member that is meant."""
        actor_id = wish.actor.member_id if wish.actor else None
        for path in paths:
            number = chain_of(path)[-1]
            await self._audit.note(
                session,
                actor_id=actor_id,
                action="table.exported",
                subject="organisation",
                subject_id=number,
                organisation_id=number,
                detail={"table": wish.table},
            )
        until = await exports.last_member(session)
        if wish.table is Table.MEMBERS:
            await exports.note_read(session, paths, until, actor_id=actor_id, at=self._clock())
        return until

    async def _members(
        self, session: Session, wish: Wish, paths: Sequence[str], until: int
    ) -> AsyncGenerator[Row, None]:
        words = speak(wish.language)
        columns = [
            column for column in COLUMNS[RosterKind.MEMBERS] if wish.phones or column is not Column.PHONE
        ]
        yield _headings(words, RosterKind.MEMBERS, columns)
        place = await _placing(session, paths)
        async for row in exports.members(session, paths, until):
            cells: dict[Column, Cell] = {
                Column.NUMBER: row.roster_number,
                Column.NAME: row.name,
                Column.PHONE: self._phone(row.phone_sealed) if wish.phones else None,
                Column.ORGANISATION: place(row.home_id),
                Column.STANDING: words(f"exports.standing.{row.standing}"),
                Column.JOINED: row.joined,
            }
            yield [cells[column] for column in columns]

    async def _organisations(
        self, session: Session, wish: Wish, paths: Sequence[str], _until: int
    ) -> AsyncGenerator[Row, None]:
        words = speak(wish.language)
        columns = COLUMNS[RosterKind.ORGANISATIONS]
        yield _headings(words, RosterKind.ORGANISATIONS, columns)
        place = await _placing(session, paths)
        async for row in exports.organisations(session, paths):
            cells: dict[Column, Cell] = {
                Column.NUMBER: row.roster_number,
                Column.NAME: row.name,
                Column.NAME_EN: row.name_en,
                Column.PARENT: place(row.parent_id),
                Column.KIND: words(f"exports.kind.{row.kind}"),
                Column.LEVEL: words(f"exports.level.{row.level}"),
                Column.MODE: words(f"exports.mode.{row.regional_mode}") if row.regional_mode else "",
                Column.CONTACT: row.contact,
            }
            yield [cells[column] for column in columns]

    async def _notices(
        self, session: Session, wish: Wish, paths: Sequence[str], _until: int
    ) -> AsyncGenerator[Row, None]:
        words = speak(wish.language)
        names = ("number", "sent_at", "organisation", "notice", "state", *_COUNTS)
        yield [words(f"exports.report.{name}") for name in names]
        async for row in exports.notices(session, paths):
            yield [
                row.id,
                _local(row.sent_at, row.zone),
                row.organisation,
                row.text[:_LONGEST],
                words(f"exports.state.{row.state}"),
                *(int(getattr(row, name)) for name in exports.COUNTED),
                row.confirmed if row.needs_confirmation else None,
            ]

    async def _polls(
        self, session: Session, wish: Wish, paths: Sequence[str], _until: int
    ) -> AsyncGenerator[Row, None]:
        words = speak(wish.language)
        names = (
            "number",
            "closed_at",
            "organisation",
            "question",
            "area",
            "asked",
            "voted",
            "option",
            "votes",
        )
        yield [words(f"exports.polls.{name}") for name in names]
        for poll_id in await exports.closed_polls(session, paths):
            async for row in self._poll(session, words, poll_id):
                yield row

    async def _poll(self, session: Session, words: Words, poll_id: int) -> AsyncGenerator[Row, None]:
        """Yield a line for each option, for everybody and for the areas right below; fewer than five are not told."""
        found = await polls.read(session, poll_id)
        if found is None:
            return
        cells = await counted(session, found)
        sender = found.sender
        below = await organisations.children(session, sender.organisation_id, offset=0, limit=_LONGEST)
        areas = [(words("exports.polls.everybody"), total(cells, len(found.options)))]
        areas += [(each.name, within(cells, each.path)) for each in below.items]
        asked = await polls.count_asked(session, poll_id)
        head = (
            poll_id,
            _local(found.closed_at, sender.zone),
            sender.organisation(words.language),
            found.question,
        )
        for index, (area, count) in enumerate(areas):
            known: Cell = asked if index == 0 else None
            if count is None:
                if index == 0:
                    yield [*head, area, known, words("exports.polls.hidden"), None, None]
                continue
            for option in found.options:
                yield [*head, area, known, count.voted, option.text, count.options[option.number]]

    def _phone(self, sealed: bytes | None) -> str:
        return "" if sealed is None else written(self._sealer.open(sealed, PHONE).decode())


def _headings(words: Words, kind: RosterKind, columns: Sequence[Column]) -> list[str]:
    return [words(f"exports.{kind}.{column}") for column in columns]


async def _placing(session: Session, paths: Sequence[str]) -> Callable[[int | None], str]:
    """Return what names an organisation as an import reads it: its name, or a path of names if others bear it."""
    shared = await exports.shared_names(session)
    known = await exports.names(session, paths)

    def place(number: int | None) -> str:
        if number not in known:
            return above.get(number or 0, "")
        path, name = known[number]
        if name not in shared:
            return name
        chain = [known[each][1] for each in chain_of(path) if each in known]
        return "/".join(chain)

    outside = {chain_of(path)[-2] for path in paths if len(chain_of(path)) > 1}
    above = {node.id: node.name for node in (await organisations.of_ids(session, outside)).values()}
    return place


def _local(at: datetime | None, zone: str) -> Cell:
    """Write a moment in its organisation's zone, as a spreadsheet program knows times."""
    return None if at is None else at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0)
