"""Role grants, and the person behind a chat with theirs."""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Date, and_, bindparam, func, or_, select, tuple_
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import Address, LinkState
from domain.members import MemberStatus
from domain.organisations import Organisation
from domain.permissions import RIGHTS, Action, Actor, Grant, Role
from storage import accounts, number_lists
from storage.organisations import to_organisation
from storage.tables import AccountLinkRow, ChatRow, MemberRow, OrganisationRow, RoleGrantRow

_link = AccountLinkRow.__table__  # type: ignore[attr-defined]
_chat = ChatRow.__table__  # type: ignore[attr-defined]
_member = MemberRow.__table__  # type: ignore[attr-defined]
_grant = RoleGrantRow.__table__  # type: ignore[attr-defined]
_organisation = OrganisationRow.__table__  # type: ignore[attr-defined]
_home = _organisation.alias("home")


async def linked_at(
    session: AsyncSession, addresses: Collection[Address], on: date
) -> dict[Address, tuple[Actor, LinkState]]:
    """Return the members linked to chats with that day's grants, in one query, and whether a link is active or blocked."""
    chats = number_lists.given((each.account_id, each.chat_id) for each in addresses)
    rows = await session.execute(_linked(session.get_bind().dialect.name), {"chats": chats, "on": on})
    linked: dict[Address, list[Any]] = {}
    for row in rows.all():
        linked.setdefault(Address(row.account_id, row.chat_id), []).append(row)
    return {
        address: (_to_actor(found, found[0].chosen or found[0].language), LinkState(found[0].state))
        for address, found in linked.items()
    }


async def actor_of_member(session: AsyncSession, member_id: int, on: date) -> Actor | None:
    """Return a member with the grants that hold on that day, whatever chats they have."""
    query = _actor_query().where(_member.c.id == member_id)
    rows = (await session.execute(query, {"on": on})).all()
    return _to_actor(rows, rows[0].language) if rows else None


async def roles_of(session: AsyncSession, member_id: int, on: date) -> list[tuple[Role, Organisation]]:
    """Return the roles a member holds on that day, each with its organisation, the highest first."""
    query = (
        select(_organisation, _grant.c.role)
        .join(_grant, _grant.c.organisation_id == _organisation.c.id)
        .where(_grant.c.member_id == member_id, _holds(on))
        .order_by(func.length(_organisation.c.path), _organisation.c.id)
    )
    return [(Role(row.role), to_organisation(row)) for row in await session.execute(query)]


async def nearest_holders(
    session: AsyncSession, action: Action, chain: tuple[int, ...], on: date, *, but: int
) -> list[int]:
    """Return who may do `action` at the deepest organisation of `chain` where anybody but one member may."""
    roles = [role for role, actions in RIGHTS.items() if action in actions]
    query = (
        select(_grant.c.organisation_id, _grant.c.member_id)
        .join(_member, _member.c.id == _grant.c.member_id)
        .where(_grant.c.organisation_id.in_(chain), _grant.c.role.in_(roles), _holds(on))
        .where(_member.c.status == MemberStatus.ACTIVE, _member.c.id != but)
    )
    found = (await session.execute(query)).all()
    for organisation_id in reversed(chain):
        holders = sorted({row.member_id for row in found if row.organisation_id == organisation_id})
        if holders:
            return holders
    return []


async def holders_at_roots(session: AsyncSession, action: Action, on: date) -> list[int]:
    """Return who may do `action` in a whole tree: those with a grant at its root."""
    roles = [role for role, actions in RIGHTS.items() if action in actions]
    query = (
        select(_grant.c.member_id)
        .join(_member, _member.c.id == _grant.c.member_id)
        .join(_organisation, _organisation.c.id == _grant.c.organisation_id)
        .where(_organisation.c.parent_id.is_(None), _grant.c.role.in_(roles), _holds(on))
        .where(_member.c.status == MemberStatus.ACTIVE)
    )
    return sorted(set((await session.execute(query)).scalars()))


@cache
def _linked(dialect: str) -> Any:
    """Build the look at who writes once: it comes with every update."""
    asked = number_lists.table_of(dialect, "chats", "account_id", "chat_id")
    chat = and_(_chat.c.account_id == _link.c.account_id, _chat.c.chat_id == _link.c.chat_id)
    return (
        _actor_query()
        .add_columns(_chat.c.language.label("chosen"), _link.c.state, _link.c.account_id, _link.c.chat_id)
        .join(_link, _link.c.member_id == _member.c.id)
        .outerjoin(_chat, chat)
        .where(tuple_(_link.c.account_id, _link.c.chat_id).in_(select(asked)))
        .where(accounts.lasts(_link), _link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED]))
    )


def _holds(on: Any) -> Any:
    return and_(_grant.c.since <= on, or_(_grant.c.until.is_(None), _grant.c.until >= on))


def _actor_query() -> Any:
    return (
        select(
            _member.c.id,
            _member.c.name,
            _member.c.home_id,
            _member.c.language,
            _home.c.path.label("home_path"),
            _grant.c.role,
            _grant.c.organisation_id,
            _grant.c.since,
            _grant.c.until,
            _organisation.c.path,
        )
        .select_from(_member)
        .join(_home, _home.c.id == _member.c.home_id)
        .outerjoin(_grant, and_(_grant.c.member_id == _member.c.id, _holds(bindparam("on", type_=Date))))
        .outerjoin(_organisation, _organisation.c.id == _grant.c.organisation_id)
        .where(_member.c.status == MemberStatus.ACTIVE)
    )


def _to_actor(rows: Sequence[Any], language: str) -> Actor:
    first = rows[0]
    grants = tuple(
        Grant(
            role=Role(row.role),
            organisation_id=row.organisation_id,
            path=row.path,
            since=row.since,
            until=row.until,
        )
        for row in rows
        if row.role is not None
    )
    return Actor(
        member_id=first.id,
        name=first.name,
        home_id=first.home_id,
        home_path=first.home_path,
        language=language,
        grants=grants,
    )
