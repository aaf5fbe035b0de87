"""Invitations in the database: a code is kept as its hash only, and used once."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.invitations import Invitation, InvitationForm
from storage.tables import AccountLinkRow, DispatchRow, InvitationRow
from storage.tables.columns import digest

_link = AccountLinkRow.__table__  # type: ignore[attr-defined]
_dispatch = DispatchRow.__table__  # type: ignore[attr-defined]
_invitation = InvitationRow.__table__  # type: ignore[attr-defined]


async def add(
    session: AsyncSession,
    *,
    member_id: int,
    code: str,
    form: InvitationForm,
    created_by: int,
    created_at: datetime,
    expires_at: datetime,
) -> int:
    """Keep a new invitation; those of the member that are still open lose their validity."""
    await close_open(session, member_id, created_at)
    values = {
        "member_id": member_id,
        "code_digest": digest(code),
        "form": form,
        "created_by": created_by,
        "created_at": created_at,
        "expires_at": expires_at,
    }
    added = await session.execute(insert(_invitation).values(values).returning(_invitation.c.id))
    return int(added.scalar_one())


async def close_open(session: AsyncSession, member_id: int, at: datetime) -> None:
    """Let a member's unused invitations end now."""
    unused = update(_invitation).where(
        _invitation.c.member_id == member_id,
        _invitation.c.used_at.is_(None),
        _invitation.c.expires_at > at,
    )
    await session.execute(unused.values(expires_at=at, ended="replaced"))


async def by_code(session: AsyncSession, code: str) -> Invitation | None:
    query = select(_invitation).where(_invitation.c.code_digest == digest(code))
    return _to_invitation((await session.execute(query)).one_or_none())


async def of_link(session: AsyncSession, link_id: int) -> Invitation | None:
    """Return the invitation that a link was opened with."""
    query = (
        select(_invitation)
        .join(_link, _link.c.invitation_id == _invitation.c.id)
        .where(_link.c.id == link_id)
    )
    return _to_invitation((await session.execute(query)).one_or_none())


async def use(session: AsyncSession, invitation_id: int, at: datetime) -> bool:
    """Mark an invitation as used; `False` if another chat was faster."""
    unused = update(_invitation).where(_invitation.c.id == invitation_id, _invitation.c.used_at.is_(None))
    used = unused.values(used_at=at).returning(_invitation.c.id)
    return (await session.execute(used)).first() is not None


async def told(session: AsyncSession, source: str, link_id: int) -> bool:
    """Say whether an alert about a link went out before."""
    query = select(_dispatch.c.id).where(_dispatch.c.source == source, _dispatch.c.source_id == link_id)
    return (await session.execute(query.limit(1))).first() is not None


def _to_invitation(row: Any) -> Invitation | None:
    if row is None:
        return None
    return Invitation(
        id=row.id,
        member_id=row.member_id,
        form=InvitationForm(row.form),
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
