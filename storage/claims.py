"""Claims of chats: which of several processes handles a chat's updates, one row a chat.

A claim holds as long as its process renews its lease (`storage.leases`), so a dead process's chats are free
without a write. `still_mine` locks the row until the transaction ends, so that who is overtaken changes nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import leases
from storage.inbox import OPEN, Waiting
from storage.tables import metadata

claim = metadata.tables["chat_claim"]
inbox = metadata.tables["inbox"]
lease = metadata.tables["lease"]

Chat = tuple[int, int]
"""An account and a chat of it; 0 stands for updates of no chat."""
PREFIX = "inbox:"
DEAD_KEPT = timedelta(hours=1)


async def renew(session: AsyncSession, holder: str, *, now: datetime, until: datetime) -> None:
    """Let all claims of a process hold until then."""
    await leases.take(session, PREFIX + holder, holder, now=now, until=until)


async def take(session: AsyncSession, chats: Collection[Chat], holder: str, now: datetime) -> set[Chat]:
    """Claim chats that are free, or whose process is gone; return those that are this process's now."""
    if not chats:
        return set()
    insert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    rows = [{"account_id": account, "chat_id": chat, "holder": holder} for account, chat in sorted(chats)]
    taken = (
        insert(claim)
        .values(rows)
        .on_conflict_do_update(
            index_elements=["account_id", "chat_id"],
            set_={"holder": holder},
            where=or_(claim.c.holder == holder, ~_lives(now)),
        )
        .returning(claim.c.account_id, claim.c.chat_id)
    )
    return {(row.account_id, row.chat_id) for row in (await session.execute(taken)).all()}


async def give_back(session: AsyncSession, chats: Collection[Chat], holder: str) -> None:
    """Let other processes have chats."""
    if chats:
        of_chats = tuple_(claim.c.account_id, claim.c.chat_id).in_(sorted(chats))
        await session.execute(delete(claim).where(of_chats, claim.c.holder == holder))


async def give_all_back(session: AsyncSession, holder: str) -> None:
    """Let other processes have all chats of this one."""
    await session.execute(delete(claim).where(claim.c.holder == holder))
    await leases.give_back(session, PREFIX + holder, holder)


async def still_mine(session: AsyncSession, chat: Chat, holder: str) -> bool:
    """Say whether a chat is this process's; if so it stays so until the transaction ends."""
    return (await session.execute(_mine(chat, holder))).first() is not None


async def effective(session: AsyncSession, inbox_id: int, chat: Chat, holder: str) -> bool:
    """Note as `storage.inbox.effective` does; `False` if the update is another process's, or over."""
    noted = (
        update(inbox)
        .where(inbox.c.id == inbox_id, inbox.c.state.in_(OPEN), _mine(chat, holder).exists())
        .values(state="effective")
    )
    return (await session.execute(noted.returning(inbox.c.id))).first() is not None


async def open_chats(
    session: AsyncSession, account_ids: Sequence[int], holder: str, now: datetime, *, limit: int
) -> list[tuple[int, Chat]]:
    """Return the updates that this process may handle, each with its chat: of its own chats and of free ones."""
    others = exists().where(
        claim.c.account_id == inbox.c.account_id,
        claim.c.chat_id == func.coalesce(inbox.c.chat_id, 0),
        claim.c.holder != holder,
        _lives(now),
    )
    found = (
        select(inbox.c.id, inbox.c.account_id, func.coalesce(inbox.c.chat_id, 0).label("chat_id"))
        .where(inbox.c.state.in_(OPEN), inbox.c.account_id.in_(account_ids), ~others)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [(row.id, (row.account_id, row.chat_id)) for row in (await session.execute(found)).all()]


async def waiting(session: AsyncSession, chats: Collection[Chat], *, limit: int) -> list[Waiting]:
    """Return what is not yet handled of these chats, whoever kept it."""
    if not chats:
        return []
    of_chats = tuple_(inbox.c.account_id, func.coalesce(inbox.c.chat_id, 0)).in_(sorted(chats))
    found = (
        select(
            inbox.c.id,
            inbox.c.account_id,
            inbox.c.chat_id,
            inbox.c.raw,
            inbox.c.state == "effective",
            inbox.c.update_id,
        )
        .where(inbox.c.state.in_(OPEN), of_chats)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [Waiting(*row) for row in (await session.execute(found)).all()]


async def reap(session: AsyncSession, now: datetime) -> None:
    """Drop what processes left that are long gone."""
    gone = select(lease.c.holder).where(lease.c.name.startswith(PREFIX), lease.c.until < now - DEAD_KEPT)
    await session.execute(delete(claim).where(claim.c.holder.in_(gone)))
    await session.execute(
        delete(lease).where(lease.c.name.startswith(PREFIX), lease.c.until < now - DEAD_KEPT)
    )


def _lives(now: datetime) -> ColumnElement[bool]:
    """Say of a claim that its process renews its lease."""
    of_holder = lease.c.name == literal(PREFIX) + claim.c.holder
    return exists().where(of_holder, lease.c.until >= now).correlate(claim)


def _mine(chat: Chat, holder: str) -> Any:
    account_id, chat_id = chat
    mine = select(claim.c.holder).where(
        claim.c.account_id == account_id, claim.c.chat_id == chat_id, claim.c.holder == holder
    )
    return mine.with_for_update(read=True)
