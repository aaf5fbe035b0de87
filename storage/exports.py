"""What goes out as a table: rows of whole subtrees, streamed, and the note of whose records were read."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, literal, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import MemberStatus
from domain.organisations import OrganisationStatus
from storage.organisations import within
from storage.tables import metadata
from storage.tables.columns import BigInt, UtcDateTime

T = metadata.tables
_organisation = T["organisation"]
_member = T["member"]
_BATCH = 1000
COUNTED = ("planned", "sent", "unreachable", "rejected", "skipped", "failed", "unknown")


def here(paths: Sequence[str]) -> ColumnElement[bool]:
    """Say that an organisation lies in one of these subtrees, and is active."""
    return and_(or_(*(within(path) for path in paths)), _organisation.c.status == OrganisationStatus.ACTIVE)


async def top_paths(session: AsyncSession) -> list[str]:
    """Return the paths of the organisations that have none above them."""
    tops = select(_organisation.c.path).where(_organisation.c.parent_id.is_(None))
    return list((await session.execute(tops.order_by(_organisation.c.path))).scalars())


async def shared_names(session: AsyncSession) -> set[str]:
    """Return the names that more than one organisation bears, anywhere, in either language."""
    shared: set[str] = set()
    for name in (_organisation.c.name, _organisation.c.name_en):
        often = select(name).where(name != "").group_by(name).having(func.count() > 1)
        shared.update((await session.execute(often)).scalars())
    return shared


async def names(session: AsyncSession, paths: Sequence[str]) -> dict[int, tuple[str, str]]:
    """Return path and name of each organisation in these subtrees."""
    found = select(_organisation.c.id, _organisation.c.path, _organisation.c.name).where(here(paths))
    return {row.id: (row.path, row.name) for row in await session.execute(found)}


async def last_member(session: AsyncSession) -> int:
    return (await session.execute(select(func.max(_member.c.id)))).scalar() or 0


async def note_read(
    session: AsyncSession, paths: Sequence[str], until_id: int, *, actor_id: int | None, at: datetime
) -> None:
    """Write down for each member of these subtrees that their record went out in a table."""
    entry = T["audit_entry"]
    read = (
        select(
            literal(at, UtcDateTime),
            literal(actor_id, BigInt),
            literal("member.exported"),
            literal("member"),
            _member.c.id,
            _member.c.home_id,
        )
        .join(_organisation, _organisation.c.id == _member.c.home_id)
        .where(here(paths), _member.c.status == MemberStatus.ACTIVE, _member.c.id <= until_id)
    )
    columns = ["at", "actor_id", "action", "subject", "subject_id", "organisation_id"]
    await session.execute(insert(entry).from_select(columns, read))


def members(session: AsyncSession, paths: Sequence[str], until_id: int) -> AsyncIterator[Any]:
    """Stream the active members of these subtrees, organisation by organisation."""
    columns = ("id", "name", "home_id", "standing", "joined", "roster_number", "phone_sealed", "phone_hint")
    found = (
        select(*(_member.c[name] for name in columns))
        .join(_organisation, _organisation.c.id == _member.c.home_id)
        .where(here(paths), _member.c.status == MemberStatus.ACTIVE, _member.c.id <= until_id)
        .order_by(_organisation.c.path, _member.c.id)
    )
    return _streamed(session, found)


def organisations(session: AsyncSession, paths: Sequence[str]) -> AsyncIterator[Any]:
    """Stream the organisations of these subtrees, what is above before what is below."""
    found = select(_organisation).where(here(paths)).order_by(_organisation.c.path)
    return _streamed(session, found)


def notices(session: AsyncSession, paths: Sequence[str]) -> AsyncIterator[Any]:
    """Stream what went out from these subtrees, with the totals of its deliveries."""
    notice, dispatch, slice_, ack = T["notice"], T["dispatch"], T["slice"], T["acknowledgement"]
    reasons = T["outcome_count"]
    ours = and_(dispatch.c.source == "notice", dispatch.c.source_id == notice.c.id)
    totals = (
        select(
            dispatch.c.source_id.label("notice_id"),
            *(func.sum(slice_.c[name]).label(name) for name in COUNTED[1:]),
        )
        .join(slice_, slice_.c.dispatch_id == dispatch.c.id)
        .where(dispatch.c.source == "notice")
        .group_by(dispatch.c.source_id)
        .subquery()
    )
    planned = select(func.sum(dispatch.c.planned)).where(ours).scalar_subquery()
    skipped = (  # who has no chat stands in no slice
        select(func.sum(reasons.c["count"]))
        .join(dispatch, dispatch.c.id == reasons.c.dispatch_id)
        .where(ours, reasons.c.state == "skipped")
        .scalar_subquery()
    )
    confirmed = select(func.count()).where(ack.c.notice_id == notice.c.id).scalar_subquery()
    found = (
        select(
            notice.c.id,
            notice.c.text,
            notice.c.state,
            notice.c.sent_at,
            notice.c.needs_confirmation,
            _organisation.c.name.label("organisation"),
            _organisation.c.zone,
            func.coalesce(planned, 0).label("planned"),
            *(func.coalesce(totals.c[name], 0).label(name) for name in COUNTED[1:] if name != "skipped"),
            func.coalesce(skipped, 0).label("skipped"),
            confirmed.label("confirmed"),
        )
        .join(_organisation, _organisation.c.id == notice.c.organisation_id)
        .outerjoin(totals, totals.c.notice_id == notice.c.id)
        .where(or_(*(within(path) for path in paths)), notice.c.sent_at.is_not(None))
        .order_by(notice.c.sent_at, notice.c.id)
    )
    return _streamed(session, found)


async def closed_polls(session: AsyncSession, paths: Sequence[str]) -> list[int]:
    """Return the polls of these subtrees that have a result."""
    poll = T["poll"]
    found = (
        select(poll.c.id)
        .join(_organisation, _organisation.c.id == poll.c.organisation_id)
        .where(or_(*(within(path) for path in paths)), poll.c.state.in_(["closed", "published"]))
    )
    return list((await session.execute(found.order_by(poll.c.closed_at, poll.c.id))).scalars())


async def _streamed(session: AsyncSession, found: Select[Any]) -> AsyncIterator[Any]:
    result = await session.stream(found.execution_options(yield_per=_BATCH))
    async for row in result:
        yield row
