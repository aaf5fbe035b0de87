"""Requests to dissolve organisations, and the set-based statements that carry one out."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, literal, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.dissolutions import Dissolution, DissolutionState, Figures
from domain.members import MembershipKind, MemberStatus
from domain.organisations import Organisation, OrganisationKind, OrganisationStatus
from storage import organisations
from storage.organisations import ACTIVE, organisation, to_organisation, within
from storage.tables import metadata

dissolution = metadata.tables["dissolution"]
grant = metadata.tables["role_grant"]
member = metadata.tables["member"]
membership = metadata.tables["membership"]
notice = metadata.tables["notice"]
poll = metadata.tables["poll"]
seat = metadata.tables["seat"]

_COMING_NOTICES = ("scheduled", "repeating", "sending")
_OPEN_POLLS = ("scheduled", "open", "closing", "closed")
_STAY = ["member_id", "organisation_id", "kind", "since"]


async def reservoirs(
    session: AsyncSession, dissolved: Organisation, *, offset: int, limit: int
) -> list[Organisation]:
    """Return the regional organisations that could take the members in, the nearest first."""
    above = dissolved.chain[:-1]
    near = or_(organisation.c.id.in_(above), organisation.c.parent_id.in_(above))
    found = (
        select(organisation)
        .where(ACTIVE, organisation.c.kind == OrganisationKind.REGIONAL, near)
        .where(organisation.c.id != dissolved.id)
        .order_by(func.length(organisation.c.path).desc(), organisation.c.id)
    )
    rows = await session.execute(found.offset(offset).limit(limit))
    return [to_organisation(row) for row in rows]


async def below(session: AsyncSession, dissolved: Organisation, limit: int) -> list[Organisation]:
    """Return some of the active organisations below."""
    found = select(organisation).where(ACTIVE, within(dissolved.path), organisation.c.id != dissolved.id)
    rows = await session.execute(found.order_by(organisation.c.path).limit(limit))
    return [to_organisation(row) for row in rows]


async def figures(session: AsyncSession, organisation_id: int, today: date) -> Figures:
    """Count what a dissolution would touch."""

    async def number(found: Select[Any]) -> int:
        counted = select(func.count()).select_from(found.subquery())
        return int((await session.execute(counted)).scalar_one())

    anchored = {table: table.c.organisation_id == organisation_id for table in (poll, notice)}
    return Figures(
        members=await number(members_of(organisation_id)),
        guests=await number(guests_of(organisation_id)),
        roles=await number(select(grant.c.id).where(_standing(grant, organisation_id, today))),
        seats=await number(select(seat.c.id).where(_standing(seat, organisation_id, today))),
        polls=await number(select(poll.c.id).where(anchored[poll], poll.c.state.in_(_OPEN_POLLS))),
        notices=await number(
            select(notice.c.id).where(anchored[notice], notice.c.state.in_(_COMING_NOTICES))
        ),
    )


def members_of(organisation_id: int) -> Select[tuple[int]]:
    """Select who has their home there."""
    return select(member.c.id).where(
        member.c.home_id == organisation_id, member.c.status == MemberStatus.ACTIVE
    )


def guests_of(organisation_id: int) -> Select[tuple[int]]:
    """Select who takes part there with their home elsewhere."""
    return (
        select(member.c.id)
        .join(membership, membership.c.member_id == member.c.id)
        .where(_open(membership, organisation_id), membership.c.kind == MembershipKind.HOST)
        .where(member.c.status == MemberStatus.ACTIVE, member.c.home_id != organisation_id)
        .distinct()
    )


async def add(session: AsyncSession, **values: Any) -> int:
    """Write a request that waits for a second person."""
    added = insert(dissolution).values(state=DissolutionState.ASKED, moved=0, **values)
    return int((await session.execute(added.returning(dissolution.c.id))).scalar_one())


async def read(session: AsyncSession, dissolution_id: int) -> Dissolution | None:
    found = await _read(session, select(dissolution).where(dissolution.c.id == dissolution_id))
    return found[0] if found else None


async def waiting_for(session: AsyncSession, organisation_id: int) -> Dissolution | None:
    """Return the request for an organisation that is not decided."""
    wanted = (
        dissolution.c.organisation_id == organisation_id,
        dissolution.c.state == DissolutionState.ASKED,
    )
    found = await _read(session, select(dissolution).where(*wanted))
    return found[0] if found else None


async def waiting(
    session: AsyncSession, paths: Sequence[str], *, offset: int, limit: int
) -> list[Dissolution]:
    """Return the requests in these subtrees that are not decided, oldest first."""
    found = (
        select(dissolution)
        .join(organisation, organisation.c.id == dissolution.c.organisation_id)
        .where(dissolution.c.state == DissolutionState.ASKED, or_(*(within(path) for path in paths)))
        .order_by(dissolution.c.id)
    )
    return await _read(session, found.offset(offset).limit(limit))


async def decide(
    session: AsyncSession,
    dissolution_id: int,
    state: DissolutionState,
    *,
    by: int,
    at: datetime,
    moved: int = 0,
) -> bool:
    """Decide a request; False where it was decided already."""
    waits = (dissolution.c.id == dissolution_id, dissolution.c.state == DissolutionState.ASKED)
    decided = update(dissolution).where(*waits)
    return await _run(session, decided.values(state=state, decided_by=by, decided_at=at, moved=moved)) == 1


async def carry_out(session: AsyncSession, dissolved: Organisation, target: Organisation, today: date) -> int:
    """Move all members, end roles and seats, and close the organisation; returns how many moved."""
    moved = await _move_stays(session, dissolved.id, target.id, today)
    # the last day of a grant still counts, so what has to end at once ended yesterday
    roles = update(grant).where(_standing(grant, dissolved.id, today))
    await _run(session, roles.values(until=today - timedelta(days=1)))
    await _run(session, update(seat).where(_standing(seat, dissolved.id, today)).values(until=today))
    closed = update(organisation).where(organisation.c.id == dissolved.id)
    await _run(session, closed.values(status=OrganisationStatus.DISSOLVED))
    return moved


async def _move_stays(session: AsyncSession, dissolved_id: int, target_id: int, today: date) -> int:
    """End all stays there and begin those at the target; a guest who is at the target already stays once.

    The stays that end are found by their own column: joined to members, PostgreSQL took 2.8 s for 10,000.
    """
    there = membership.alias("there")
    already = exists().where(
        there.c.member_id == member.c.id, there.c.organisation_id == target_id, there.c.until.is_(None)
    )
    guests = guests_of(dissolved_id).where(~already)
    await _begin(session, guests, target_id, MembershipKind.HOST, today)
    await _run(session, update(membership).where(_open(membership, dissolved_id)).values(until=today))
    everybody = members_of(dissolved_id)
    was_guest = update(membership).where(
        _open(membership, target_id),
        membership.c.kind == MembershipKind.HOST,
        membership.c.member_id.in_(everybody),
    )
    await _run(session, was_guest.values(until=today))
    await _begin(session, everybody, target_id, MembershipKind.HOME, today)
    homes = update(member).where(member.c.home_id == dissolved_id, member.c.status == MemberStatus.ACTIVE)
    return await _run(session, homes.values(home_id=target_id))


async def _begin(
    session: AsyncSession, who: Select[Any], target_id: int, kind: MembershipKind, today: date
) -> None:
    stays = who.add_columns(literal(target_id), literal(kind), literal(today))
    await _run(session, insert(membership).from_select(_STAY, stays))


def _open(table: Any, organisation_id: int) -> ColumnElement[bool]:
    return and_(table.c.organisation_id == organisation_id, table.c.until.is_(None))


def _standing(table: Any, organisation_id: int, today: date) -> ColumnElement[bool]:
    ends = or_(table.c.until.is_(None), table.c.until >= today)
    return and_(table.c.organisation_id == organisation_id, ends)


async def _read(session: AsyncSession, found: Select[Any]) -> list[Dissolution]:
    asked = found.join(member, member.c.id == dissolution.c.asked_by).add_columns(member.c.name)
    rows = (await session.execute(asked)).all()
    ids = {each for row in rows for each in (row.organisation_id, row.target_id)}
    places = await organisations.of_ids(session, ids)
    return [
        Dissolution(
            id=row.id,
            organisation=places[row.organisation_id],
            target=places[row.target_id],
            filing_number=row.filing_number,
            reason=row.reason,
            state=DissolutionState(row.state),
            asked_by=row.asked_by,
            asker=row.name,
            asked_at=row.asked_at,
            decided_by=row.decided_by,
            moved=row.moved,
        )
        for row in rows
    ]


async def _run(session: AsyncSession, statement: Any) -> int:
    done = await session.execute(statement.execution_options(synchronize_session=False))
    return int(done.rowcount)  # type: ignore[attr-defined]
