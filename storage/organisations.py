"""The tree of organisations: reading it, searching it, and rewriting the paths of what moves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, insert, literal, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import MemberStatus
from domain.organisations import (
    HolidayPolicy,
    Level,
    Organisation,
    OrganisationKind,
    OrganisationStatus,
    RegionalMode,
    chain_of,
    child_path,
    subtree_bounds,
)
from storage.tables import metadata

history = metadata.tables["organisation_history"]
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]

TREE_LOCK = 0x74726565
ACTIVE = organisation.c.status == OrganisationStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and how long the whole list is."""

    items: tuple[Organisation, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How much lies in a subtree, its root included."""

    organisations: int
    members: int


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an organisation's history."""

    at: datetime
    what: str
    before: str
    after: str
    actor_id: int | None


async def zones(session: AsyncSession) -> frozenset[str]:
    """Return the time zones in which there are organisations."""
    return frozenset((await session.execute(select(organisation.c.zone).distinct())).scalars())


async def get(session: AsyncSession, organisation_id: int) -> Organisation | None:
    found = select(organisation).where(organisation.c.id == organisation_id)
    row = (await session.execute(found)).one_or_none()
    return None if row is None else to_organisation(row)


async def of_ids(session: AsyncSession, ids: Iterable[int]) -> dict[int, Organisation]:
    rows = await session.execute(select(organisation).where(organisation.c.id.in_(list(ids))))
    return {row.id: to_organisation(row) for row in rows}


async def chain(session: AsyncSession, path: str) -> list[Organisation]:
    """Return the organisations from the root down to the one of this path."""
    ids = chain_of(path)
    found = await of_ids(session, ids)
    return [found[each] for each in ids]


async def children(session: AsyncSession, parent_id: int, *, offset: int, limit: int) -> Page:
    """Return a page of the active organisations right below, in the order they were founded in the tree."""
    return await _page(session, [organisation.c.parent_id == parent_id], offset, limit)


async def search(session: AsyncSession, paths: Sequence[str], text: str, *, offset: int, limit: int) -> Page:
    """Find active organisations in these subtrees by a part of their name, Chinese or English."""
    wanted = text.strip()
    if not wanted or not paths:
        return Page((), 0)
    named = or_(
        organisation.c.name.contains(wanted, autoescape=True),
        organisation.c.name_en.icontains(wanted, autoescape=True),
    )
    return await _page(session, [or_(*(within(path) for path in paths)), named], offset, limit)


async def counts(session: AsyncSession, path: str) -> Counts:
    """Count the active organisations and members of a subtree."""
    nodes = select(func.count()).select_from(organisation).where(within(path), ACTIVE)
    people = (
        select(func.count())
        .select_from(organisation.join(member, member.c.home_id == organisation.c.id))
        .where(within(path), member.c.status == MemberStatus.ACTIVE)
    )
    return Counts(
        organisations=int((await session.execute(nodes)).scalar_one()),
        members=int((await session.execute(people)).scalar_one()),
    )


async def lock_tree(session: AsyncSession) -> None:
    """Let one move happen at a time, so that two cannot make a circle; on SQLite the transaction alone does."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(TREE_LOCK)))


async def move(session: AsyncSession, moved: Organisation, parent: Organisation) -> int:
    """Put a subtree below another parent: one statement rewrites all paths. Returns how many moved."""
    start = child_path(parent.path, moved.id)
    rest = func.substr(organisation.c.path, len(moved.path) + 1)
    statement = (
        update(organisation)
        .where(within(moved.path))
        .values(
            path=literal(start).concat(rest),
            parent_id=case((organisation.c.id == moved.id, parent.id), else_=organisation.c.parent_id),
        )
        .execution_options(synchronize_session=False)
    )
    return int((await session.execute(statement)).rowcount)  # type: ignore[attr-defined]


async def rename(session: AsyncSession, organisation_id: int, *, name: str, name_en: str) -> None:
    await session.execute(
        update(organisation).where(organisation.c.id == organisation_id).values(name=name, name_en=name_en)
    )


async def remember(
    session: AsyncSession,
    organisation_id: int,
    *,
    at: datetime,
    what: str,
    before: str,
    after: str,
    actor_id: int | None,
) -> None:
    """Write a line of an organisation's history."""
    values = {"at": at, "what": what, "before": before, "after": after, "actor_id": actor_id}
    await session.execute(insert(history).values(organisation_id=organisation_id, **values))


async def history_of(session: AsyncSession, organisation_id: int) -> list[Change]:
    """Return what became of an organisation, oldest first."""
    found = select(history).where(history.c.organisation_id == organisation_id).order_by(history.c.id)
    rows = await session.execute(found)
    return [Change(row.at, row.what, row.before, row.after, row.actor_id) for row in rows]


def within(path: str) -> ColumnElement[bool]:
    """Say that an organisation lies in the subtree of a path: a range of the path index."""
    low, high = subtree_bounds(path)
    return (organisation.c.path >= low) & (organisation.c.path < high)


def to_organisation(row: Any) -> Organisation:
    return Organisation(
        id=row.id,
        parent_id=row.parent_id,
        path=row.path,
        name=row.name,
        name_en=row.name_en,
        kind=OrganisationKind(row.kind),
        level=Level(row.level),
        status=OrganisationStatus(row.status),
        regional_mode=RegionalMode(row.regional_mode) if row.regional_mode else None,
        zone=row.zone,
        holiday_policy=HolidayPolicy(row.holiday_policy),
        contact=row.contact,
    )


async def _page(
    session: AsyncSession, wanted: Sequence[ColumnElement[bool]], offset: int, limit: int
) -> Page:
    counted = select(func.count()).select_from(organisation).where(ACTIVE, *wanted)
    total = int((await session.execute(counted)).scalar_one())
    found: Select[Any] = select(organisation).where(ACTIVE, *wanted).order_by(organisation.c.id)
    rows = await session.execute(found.offset(offset).limit(limit))
    return Page(tuple(to_organisation(row) for row in rows), total)
