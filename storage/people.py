"""A person's record, the search for one by name within a subtree, and whether they want messages."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import Member, MembershipKind, MemberStatus, Standing
from domain.organisations import Organisation, subtree_bounds
from storage.organisations import to_organisation
from storage.tables import MemberRow, MembershipRow, OrganisationRow, SubscriptionRow

_member = MemberRow.__table__  # type: ignore[attr-defined]
_membership = MembershipRow.__table__  # type: ignore[attr-defined]
_organisation = OrganisationRow.__table__  # type: ignore[attr-defined]
_subscription = SubscriptionRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Found:
    """A member with the path of their home."""

    member: Member
    joined: date | None
    home_path: str
    home_name: str
    phone_index: bytes | None


async def record(session: AsyncSession, member_id: int) -> Found | None:
    """Return a member, whatever their status; who was forgotten is nobody."""
    known = (_member.c.id == member_id, _member.c.status != MemberStatus.FORGOTTEN)
    row = (await session.execute(_found_query().where(*known))).one_or_none()
    return None if row is None else _to_found(row)


async def search(
    session: AsyncSession, paths: tuple[str, ...], name: str, *, offset: int, limit: int
) -> list[Found]:
    """Find active members within these subtrees whose name contains `name`."""
    if not paths:
        return []
    below = [
        (_organisation.c.path >= low) & (_organisation.c.path < high)
        for low, high in map(subtree_bounds, paths)
    ]
    query = _found_query().where(
        or_(*below),
        _member.c.status == MemberStatus.ACTIVE,
        _member.c.name.contains(name, autoescape=True),
    )
    rows = await session.execute(query.order_by(_member.c.name, _member.c.id).offset(offset).limit(limit))
    return [_to_found(row) for row in rows]


async def hosts_of(session: AsyncSession, member_id: int) -> list[Organisation]:
    """Return the places where a mobile member takes part."""
    query = (
        select(_organisation)
        .join(_membership, _membership.c.organisation_id == _organisation.c.id)
        .where(_membership.c.member_id == member_id, _membership.c.until.is_(None))
        .where(_membership.c.kind == MembershipKind.HOST)
        .order_by(_organisation.c.id)
    )
    return [to_organisation(row) for row in await session.execute(query)]


async def subscriptions(session: AsyncSession, member_id: int) -> int:
    query = select(func.count()).select_from(_subscription).where(_subscription.c.member_id == member_id)
    return int((await session.execute(query)).scalar_one())


async def set_stopped(session: AsyncSession, member_id: int, at: datetime | None) -> bool:
    """Stop or resume a member's messages; `False` if it was so already."""
    other = _member.c.stopped_at.is_(None) if at else _member.c.stopped_at.is_not(None)
    change = update(_member).where(_member.c.id == member_id, other).values(stopped_at=at)
    return (await session.execute(change.returning(_member.c.id))).first() is not None


def _found_query() -> Any:
    return select(
        _member, _organisation.c.path.label("home_path"), _organisation.c.name.label("home_name")
    ).join(_organisation, _organisation.c.id == _member.c.home_id)


def _to_found(row: Any) -> Found:
    member = Member(
        id=row.id,
        name=row.name,
        home_id=row.home_id,
        standing=Standing(row.standing),
        status=MemberStatus(row.status),
        mobile=row.mobile,
        language=row.language,
        stopped_at=row.stopped_at,
        phone_hint=row.phone_hint,
    )
    return Found(
        member=member,
        joined=row.joined,
        home_path=row.home_path,
        home_name=row.home_name,
        phone_index=row.phone_index,
    )
