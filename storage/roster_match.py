"""Comparing staged members with those on record, by set-based statements over a span of lines.

Each statement reads only what no statement of the same pass changes: SQLite sees its own changes while it
updates. So it is noted how a row was found (`deed` is ``number`` or ``phone``) before names are looked at.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql import ColumnCollection
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import MemberStatus
from domain.roster import Deed, Figures, Reason
from storage.roster import in_subtree, is_whole
from storage.tables import metadata

row = metadata.tables["roster_row"]
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]

BY_NUMBER, BY_PHONE, BY_NAME = "number", "phone", "name"
_KEYED = (BY_NUMBER, BY_PHONE)
_NONE: ColumnElement[str] = literal_column("''")
"""Written out, or no database would see that the index of numbers, which leaves out empty ones, will do."""


class Span:
    """Lines of an import, from one up to another that is left out; and what it may see."""

    def __init__(self, import_id: int, scope: str, start: int, end: int) -> None:
        self.import_id = import_id
        self._scope = scope
        self._lines = (row.c.import_id == import_id) & (row.c.line >= start) & (row.c.line < end)

    def fine(self, *more: ColumnElement[bool]) -> ColumnElement[bool]:
        """Say that a row is of the span and not bad."""
        return and_(self._lines, row.c.reason == "", *more)

    def seen(self) -> ColumnElement[bool]:
        """Say that a member is one the importer may write; beyond the wall nobody exists."""
        if is_whole(self._scope):
            return literal(1) == 1
        return member.c.home_id.in_(select(organisation.c.id).where(in_subtree(self._scope)))


async def find_by_keys(session: AsyncSession, span: Span) -> None:
    """Leave repeated lines out; find members by number, then by phone together with the name."""
    twin = row.alias("twin")
    before = select(func.min(twin.c.line)).where(
        _of(twin, span.import_id),
        twin.c.organisation_id == row.c.organisation_id,
        twin.c.name == row.c.name,
        twin.c.sum == row.c.sum,
        twin.c.line < row.c.line,
    )
    await _refuse(session, span, Reason.REPEATED, before.scalar_subquery())
    numbered = and_(member.c.roster_number == row.c.number, member.c.roster_number != _NONE, span.seen())
    await _match(session, span, numbered, row.c.number != "", BY_NUMBER)
    reached = and_(
        member.c.phone_index == row.c.phone_index,
        member.c.name == row.c.name,
        member.c.status == MemberStatus.ACTIVE,
        _may_be(row.c),
        span.seen(),
    )
    await _match(session, span, reached, row.c.phone_index.is_not(None), BY_PHONE)


async def find_by_name(session: AsyncSession, span: Span) -> None:
    """Find members by name and place, if there is one such in the file and one on record."""
    twin, known = row.alias("twin"), row.alias("known")
    same = and_(
        _of(twin, span.import_id),
        twin.c.organisation_id == row.c.organisation_id,
        twin.c.name == row.c.name,
        twin.c.deed.not_in(_KEYED),
        twin.c.reason.not_in((Reason.REPEATED, Reason.AMBIGUOUS)),
    )
    in_file = select(func.count()).select_from(twin).where(same).scalar_subquery()
    bare = and_(same, twin.c.phone_index.is_(None), twin.c.number == "")
    bare_in_file = select(func.count()).select_from(twin).where(bare).scalar_subquery()
    taken = exists().where(
        _of(known, span.import_id), known.c.subject_id == member.c.id, known.c.deed.in_(_KEYED)
    )
    there = and_(
        member.c.home_id == row.c.organisation_id,
        member.c.name == row.c.name,
        member.c.status == MemberStatus.ACTIVE,
        _may_be(row.c),
        ~taken,
    )
    on_record = select(func.count()).select_from(member).where(there).scalar_subquery()
    open_ = span.fine(row.c.deed.not_in(_KEYED))
    unclear = or_(
        and_(on_record > 0, or_(in_file > 1, on_record > 1)),
        and_(row.c.phone_index.is_(None), row.c.number == "", bare_in_file > 1),
    )
    subject = select(func.min(member.c.id)).where(there).scalar_subquery()
    await session.execute(
        _quiet(update(row).where(open_)).values(
            reason=case((unclear, Reason.SAME_NAME), else_=""), subject_id=subject, deed=BY_NAME
        )
    )


async def decide(session: AsyncSession, span: Span) -> None:
    """Refuse lines that contradict each other or the record; say what becomes of the rest."""
    other = row.alias("other")
    for same in (
        and_(row.c.number != "", other.c.number == row.c.number),
        and_(row.c.phone_index.is_not(None), other.c.phone_index == row.c.phone_index),
        and_(row.c.subject_id.is_not(None), other.c.subject_id == row.c.subject_id),
    ):
        clash = select(func.min(other.c.line)).where(
            same,
            _of(other, span.import_id),
            other.c.line != row.c.line,
            other.c.reason != Reason.REPEATED,
        )
        await _refuse(session, span, Reason.CONFLICT, clash.scalar_subquery())
    moving = row.alias("moving")
    changes_phone = exists().where(
        _of(moving, span.import_id),
        moving.c.subject_id == member.c.id,
        moving.c.phone_index.is_not(None),
        moving.c.phone_index != member.c.phone_index,
    )
    holder = (
        select(literal(""))
        .where(
            member.c.phone_index == row.c.phone_index,
            member.c.id != func.coalesce(row.c.subject_id, 0),
            member.c.status == MemberStatus.ACTIVE,
            span.seen(),
            ~changes_phone,
        )
        .limit(1)
    )
    await _refuse(session, span, Reason.PHONE_TAKEN, holder.scalar_subquery())
    over = select(literal("")).where(member.c.id == row.c.subject_id, member.c.status != MemberStatus.ACTIVE)
    await _refuse(session, span, Reason.NOT_ACTIVE, over.scalar_subquery())
    differs = or_(
        member.c.name != row.c.name,
        and_(row.c.number != "", member.c.roster_number != row.c.number),
        and_(row.c.standing != "", member.c.standing != row.c.standing),
        and_(row.c.joined.is_not(None), func.coalesce(member.c.joined != row.c.joined, True)),
        and_(row.c.phone_index.is_not(None), func.coalesce(member.c.phone_index != row.c.phone_index, True)),
    )
    deed = (
        select(
            case(
                (member.c.home_id != row.c.organisation_id, Deed.MOVE),
                (differs, Deed.CHANGE),
                else_=Deed.KEEP,
            )
        )
        .where(member.c.id == row.c.subject_id)
        .scalar_subquery()
    )
    await session.execute(
        _quiet(update(row).where(span.fine())).values(deed=func.coalesce(deed, Deed.CREATE))
    )


async def figures(session: AsyncSession, import_id: int) -> Figures:
    """Count what would be done with which rows."""
    what = case((row.c.reason != "", "bad"), else_=row.c.deed)
    counted = (
        select(what.label("what"), func.count().label("rows"))
        .where(row.c.import_id == import_id)
        .group_by(what)
    )
    found = {each.what: each.rows for each in await session.execute(counted)}
    return Figures(
        created=found.get(Deed.CREATE, 0),
        changed=found.get(Deed.CHANGE, 0),
        moved=found.get(Deed.MOVE, 0),
        kept=found.get(Deed.KEEP, 0),
        bad=found.get("bad", 0),
    )


async def phones_changed(session: AsyncSession, import_id: int) -> int:
    """Count the members who get another phone than the one on record."""
    query = (
        select(func.count())
        .select_from(row.join(member, member.c.id == row.c.subject_id))
        .where(
            row.c.import_id == import_id,
            row.c.reason == "",
            row.c.phone_index.is_not(None),
            member.c.phone_index.is_not(None),
            member.c.phone_index != row.c.phone_index,
        )
    )
    return int((await session.execute(query)).scalar_one())


async def missing(session: AsyncSession, import_id: int) -> int:
    """Count the members of the file's organisations whom no row is."""
    query = select(func.count()).select_from(_missing(import_id).subquery())
    return int((await session.execute(query)).scalar_one())


async def missing_names(
    session: AsyncSession, import_id: int, *, after: int, limit: int
) -> list[tuple[int, str, str]]:
    """Return members whom no row is: id, name, organisation."""
    found = _missing(import_id).where(member.c.id > after).order_by(member.c.id).limit(limit)
    return [(each.id, each.name, each.place) for each in await session.execute(found)]


def _missing(import_id: int) -> Select[Any]:
    known = exists().where(_of(row, import_id), row.c.subject_id == member.c.id)
    homes = (
        select(row.c.organisation_id)
        .where(row.c.import_id == import_id, row.c.organisation_id.is_not(None))
        .distinct()
    )
    return (
        select(member.c.id, member.c.name, organisation.c.name.label("place"))
        .join(organisation, organisation.c.id == member.c.home_id)
        .where(member.c.home_id.in_(homes), member.c.status == MemberStatus.ACTIVE, ~known)
    )


def _of(rows: Any, import_id: int) -> ColumnElement[bool]:
    """Say that rows are of an import, without its key: SQLite would walk all its lines for the lowest of them."""
    apart: ColumnElement[int] = rows.c.import_id + 0
    return apart == import_id


def _may_be(this: ColumnCollection[Any, Any]) -> ColumnElement[bool]:
    """Say that a member has no other number than the row: or else it is somebody else."""
    return or_(member.c.roster_number == "", this.number == "", member.c.roster_number == this.number)


async def _match(
    session: AsyncSession, span: Span, found: ColumnElement[bool], wanted: ColumnElement[bool], how: str
) -> None:
    """Note the member that was found; more than one is a bad row."""
    one = select(func.min(member.c.id)).where(found).scalar_subquery()
    many = select(func.count()).select_from(member).where(found).scalar_subquery()
    here = span.fine(wanted, row.c.subject_id.is_(None))
    await session.execute(
        _quiet(update(row).where(here)).values(
            subject_id=one,
            deed=case((many > 0, how), else_=""),
            reason=case((many > 1, Reason.AMBIGUOUS), else_=""),
        )
    )


async def _refuse(session: AsyncSession, span: Span, reason: Reason, what: Any) -> None:
    """Refuse the lines for which `what` is found, and keep it."""
    await session.execute(
        _quiet(update(row).where(span.fine(what.is_not(None)))).values(reason=reason, what=cast(what, String))
    )


def _quiet(statement: Any) -> Any:
    return statement.execution_options(synchronize_session=False)
