"""Writing what was staged, by set-based statements in one short transaction; each guards what it was staged on.

A statement that changes fewer rows than were counted means that something moved meanwhile: `Changed`.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import MembershipKind, MemberStatus, Standing
from domain.organisations import OrganisationStatus
from domain.roster import Deed, ImportState
from storage import organisations
from storage.organisations import organisation
from storage.roster import imports, in_subtree, row
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

member = metadata.tables["member"]
membership = metadata.tables["membership"]
history = metadata.tables["organisation_history"]

_LOCK = 0x726F7374


class Changed(Exception):  # noqa: N818 - a fact
    """What the rows were compared with is no longer so."""


class Writing:
    """One import being written."""

    def __init__(self, session: AsyncSession, import_id: int, scope: str) -> None:
        self._session = session
        self._import_id = import_id
        self._scope = scope
        self._mine = (row.c.import_id == import_id) & (row.c.reason == "")

    async def lock(self) -> None:
        """Let one import be written at a time; all others have to look again at what they would do."""
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        await organisations.lock_tree(self._session)
        others = (
            imports.c.id != self._import_id,
            imports.c.state.in_((ImportState.STAGING, ImportState.READY)),
        )
        await self._run(update(imports).where(*others).values(state=ImportState.MAPPING))

    async def _give_ids(self, table: str) -> None:
        """Give the rows to come their ids: from the sequence, or on SQLite behind the last."""
        fresh: Any = func.nextval(func.pg_get_serial_sequence(table, "id"))
        if self._session.get_bind().dialect.name == "sqlite":
            fresh = await self._behind_the_last(table)
        await self._run(update(row).where(self._mine, row.c.deed == Deed.CREATE).values(subject_id=fresh))

    async def _behind_the_last(self, table: str) -> ColumnElement[int]:
        """Return a row's id by its line: on SQLite nobody else can take one meanwhile."""
        target = metadata.tables[table]
        last = (await self._session.execute(select(func.max(target.c.id)))).scalar() or 0
        return literal(last) + row.c.line

    async def members(self, *, today: date, created: int, changed: int, moved: int) -> None:
        """Write members and where they belong."""
        if created:
            await self._create_members(today, created)
        if changed or moved:
            await self._change_members(changed + moved)
        if moved:
            await self._move_members(today, moved)

    async def organisations(
        self, *, now: datetime, actor_id: int | None, created: int, changed: int, moved: int
    ) -> None:
        """Write organisations: first those to come, from the top; then names and fields; then what moves."""
        if created:
            await self._create_organisations(created)
        if changed or moved:
            await self._remember_names(now, actor_id)
            await self._change_organisations(changed + moved)
        if moved:
            await self._move_organisations(now, actor_id)

    async def _create_members(self, today: date, expected: int) -> None:
        number: ColumnElement[Any] = row.c.subject_id
        if self._session.get_bind().dialect.name == "sqlite":
            number = await self._behind_the_last("member")  # to write them down first would double the time
        else:
            await self._give_ids("member")
        mine = (self._mine, row.c.deed == Deed.CREATE, self._place_stands())
        values = {
            "id": number,
            "name": row.c.name,
            "home_id": row.c.organisation_id,
            "standing": case((row.c.standing == "", Standing.FULL), else_=row.c.standing),
            "status": literal(MemberStatus.ACTIVE),
            "mobile": literal(False),
            "language": literal("zh_CN"),
            "phone_sealed": row.c.phone_sealed,
            "phone_index": row.c.phone_index,
            "phone_hint": row.c.phone_hint,
            "joined": row.c.joined,
            "roster_number": row.c.number,
        }
        await self._run(
            insert(member).from_select([*values], select(*values.values()).where(*mine)), expected
        )
        stay = (
            number,
            row.c.organisation_id,
            literal(MembershipKind.HOME),
            func.coalesce(row.c.joined, today),
        )
        await self._run(insert(membership).from_select(_STAY, select(*stay).where(*mine)), expected)

    async def _change_members(self, expected: int) -> None:
        values = {
            "name": row.c.name,
            "home_id": row.c.organisation_id,
            "standing": _kept(row.c.standing, member.c.standing),
            "joined": func.coalesce(row.c.joined, member.c.joined),
            "phone_sealed": func.coalesce(row.c.phone_sealed, member.c.phone_sealed),
            "phone_index": func.coalesce(row.c.phone_index, member.c.phone_index),
            "phone_hint": _kept(row.c.phone_hint, member.c.phone_hint),
            "roster_number": _kept(row.c.number, member.c.roster_number),
        }
        here = (
            member.c.id == row.c.subject_id,
            member.c.status == MemberStatus.ACTIVE,
            member.c.home_id.in_(self._reachable()),
            self._mine,
            row.c.deed.in_((Deed.CHANGE, Deed.MOVE)),
            self._place_stands(),
        )
        await self._run(update(member).where(*here).values(values), expected)

    async def _move_members(self, today: date, expected: int) -> None:
        moved = and_(self._mine, row.c.deed == Deed.MOVE)
        home = and_(membership.c.kind == MembershipKind.HOME, membership.c.until.is_(None))
        ended = update(membership).where(
            home, membership.c.member_id.in_(select(row.c.subject_id).where(moved))
        )
        await self._run(ended.values(until=today), expected)
        stay = (row.c.subject_id, row.c.organisation_id, literal(MembershipKind.HOME), literal(today))
        await self._run(insert(membership).from_select(_STAY, select(*stay).where(moved)), expected)

    async def _create_organisations(self, expected: int) -> None:
        await self._give_ids("organisation")
        above = row.alias("above")
        parent = select(above.c.subject_id).where(
            above.c.import_id == self._import_id, above.c.line == row.c.parent_line
        )
        mine = and_(self._mine, row.c.deed == Deed.CREATE)
        stands = or_(row.c.parent_line.is_not(None), self._place_stands())
        fits = and_(mine, stands)
        adopt = update(row).where(mine, row.c.parent_line.is_not(None))
        await self._run(adopt.values(organisation_id=parent.scalar_subquery()))
        values = {
            "id": row.c.subject_id,
            "parent_id": row.c.organisation_id,
            "path": literal("roster:").concat(cast(row.c.subject_id, String)),
            "name": row.c.name,
            "name_en": row.c.name_en,
            "kind": row.c.kind,
            "level": row.c.level,
            "regional_mode": func.nullif(row.c.mode, ""),
            "status": literal(OrganisationStatus.ACTIVE),
            "contact": row.c.contact,
            "roster_number": row.c.number,
        }
        rows = select(*values.values()).where(fits)
        await self._run(insert(organisation).from_select([*values], rows), expected)
        deepest = (await self._session.execute(select(func.max(row.c.depth)).where(mine))).scalar() or 0
        for depth in range(deepest + 1):
            await self._root_paths(and_(mine, row.c.depth == depth))

    async def _root_paths(self, these: ColumnElement[bool]) -> None:
        """Give the organisations of one depth their paths; those above have theirs."""
        above = organisation.alias("above")
        path = select(above.c.path).where(above.c.id == organisation.c.parent_id).scalar_subquery()
        full = path.concat(cast(organisation.c.id, String)).concat("/")
        here = update(organisation).where(organisation.c.id.in_(select(row.c.subject_id).where(these)))
        await self._run(here.values(path=full))

    async def _change_organisations(self, expected: int) -> None:
        fields = ("name", "name_en", "kind", "level", "contact")
        values: dict[str, Any] = {each: _kept(row.c[each], organisation.c[each]) for each in fields}
        values["regional_mode"] = func.coalesce(func.nullif(row.c.mode, ""), organisation.c.regional_mode)
        values["roster_number"] = _kept(row.c.number, organisation.c.roster_number)
        here = (
            organisation.c.id == row.c.subject_id,
            organisation.c.status == OrganisationStatus.ACTIVE,
            in_subtree(self._scope),
            self._mine,
            row.c.deed.in_((Deed.CHANGE, Deed.MOVE)),
        )
        await self._run(update(organisation).where(*here).values(values), expected)

    async def _remember_names(self, now: datetime, actor_id: int | None) -> None:
        renamed = (
            select(
                organisation.c.id,
                literal(now, UtcDateTime),
                literal("renamed"),
                organisation.c.name,
                row.c.name,
                literal(actor_id, member.c.id.type),
            )
            .join(row, row.c.subject_id == organisation.c.id)
            .where(self._mine, row.c.deed.in_((Deed.CHANGE, Deed.MOVE)), row.c.name != organisation.c.name)
            .order_by(row.c.line)
        )
        columns = ["organisation_id", "at", "what", "before", "after", "actor_id"]
        await self._run(insert(history).from_select(columns, renamed))

    async def _move_organisations(self, now: datetime, actor_id: int | None) -> None:
        """Move one after the other, the highest first, so that two may change places."""
        above = row.alias("above")
        new_parent = func.coalesce(row.c.organisation_id, above.c.subject_id)
        wanted = (
            select(row.c.subject_id, new_parent.label("parent_id"))
            .outerjoin(above, and_(above.c.import_id == self._import_id, above.c.line == row.c.parent_line))
            .where(self._mine, row.c.deed == Deed.MOVE)
            .order_by(row.c.depth, row.c.line)
        )
        for each in (await self._session.execute(wanted)).all():
            found = await organisations.get(self._session, each.subject_id)
            parent = await organisations.get(self._session, each.parent_id)
            if found is None or parent is None or parent.status is not OrganisationStatus.ACTIVE:
                raise Changed
            if not found.path.startswith(self._scope) or not parent.path.startswith(self._scope):
                raise Changed
            if parent.path.startswith(found.path):
                raise Changed
            await organisations.move(self._session, found, parent)
            change = {"before": str(found.parent_id), "after": str(parent.id)}
            await organisations.remember(
                self._session, found.id, at=now, what="moved", actor_id=actor_id, **change
            )

    def _place_stands(self) -> ColumnElement[bool]:
        return row.c.organisation_id.in_(self._reachable())

    def _reachable(self) -> Any:
        return select(organisation.c.id).where(
            in_subtree(self._scope), organisation.c.status == OrganisationStatus.ACTIVE
        )

    async def _run(self, statement: Any, expected: int | None = None) -> None:
        done = await self._session.execute(statement.execution_options(synchronize_session=False))
        if expected is not None and done.rowcount != expected:  # type: ignore[attr-defined]
            raise Changed


_STAY = ["member_id", "organisation_id", "kind", "since"]


def _kept(wanted: ColumnElement[str], there: ColumnElement[str]) -> ColumnElement[str]:
    """Leave alone what the row does not say."""
    return case((wanted == "", there), else_=wanted)
