"""Claims of chats: which of several processes handles a chat's updates, one row a chat.

A claim holds as long as its process renews its lease (`storage.leases`), so a dead process's chats are free
without a write. `still_mine` locks the row until the transaction ends, so that who is overtaken changes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    TextClause,
    bindparam,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from storage import leases, number_lists
from storage.inbox import OPEN, Waiting
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

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
    given = {"chats": number_lists.given(sorted(chats)), "holder": holder, "prefix": PREFIX, "now": now}
    statement = _taken(session.get_bind().dialect.name)
    return {(row.account_id, row.chat_id) for row in (await session.execute(statement, given)).all()}


@cache
def _taken(dialect: str) -> TextClause:
    taken = text(_TAKE.format(chats=number_lists.rows_of(dialect, "chats", "account_id", "chat_id")))
    return taken.bindparams(bindparam("now", type_=UtcDateTime), bindparam("prefix", type_=String))


_TAKE = """
    INSERT INTO chat_claim (account_id, chat_id, holder)
    SELECT wanted.account_id, wanted.chat_id, CAST(:holder AS varchar) FROM ({chats}) AS wanted WHERE true
    ON CONFLICT (account_id, chat_id) DO UPDATE SET holder = excluded.holder
    WHERE chat_claim.holder = excluded.holder OR NOT EXISTS (
        SELECT 1 FROM lease WHERE lease.name = :prefix || chat_claim.holder AND lease.until >= :now)
    RETURNING account_id, chat_id"""


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
    return (await session.execute(_MINE, _place(chat, holder))).first() is not None


async def effective(session: AsyncSession, updates: Mapping[int, Chat], holder: str) -> bool:
    """Note as `storage.inbox.effective` does; `False` if one of the updates is another process's, or over."""
    given = [(number, *chat) for number, chat in sorted(updates.items())]
    parameters = {"updates": number_lists.given(given), "of_holder": holder}
    noted = await session.execute(_effective(session.get_bind().dialect.name), parameters)
    return len(noted.all()) == len(given)


def _place(chat: Chat, holder: str) -> dict[str, int | str]:
    return {"of_account": chat[0], "of_chat": chat[1], "of_holder": holder}


_MINE = (
    select(claim.c.holder)
    .where(
        claim.c.account_id == bindparam("of_account"),
        claim.c.chat_id == bindparam("of_chat"),
        claim.c.holder == bindparam("of_holder"),
    )
    .with_for_update(read=True)
)


@cache
def _effective(dialect: str) -> Any:
    noted = number_lists.table_of(dialect, "updates", "number", "account", "chat")
    mine = (
        select(claim.c.holder)
        .where(claim.c.account_id == noted.c.account, claim.c.chat_id == noted.c.chat)
        .where(claim.c.holder == bindparam("of_holder"))
        .with_for_update(read=True)
    )
    return (
        update(inbox)
        .where(inbox.c.id == noted.c.number, inbox.c.state.in_(OPEN), mine.exists())
        .values(state="effective")
        .returning(inbox.c.id)
    )


async def open_chats(
    session: AsyncSession, account_ids: Sequence[int], holder: str, now: datetime, *, limit: int
) -> list[tuple[int, Chat]]:
    """Return the updates that this process may handle, each with its chat: of its own chats and of free ones."""
    given = {"accounts": list(account_ids), "me": holder, "now": now, "most": limit}
    rows = (await session.execute(_OPEN_CHATS, given)).all()
    return [(row.id, (row.account_id, row.chat_id or 0)) for row in rows]


async def waiting(session: AsyncSession, chats: Collection[Chat], *, limit: int) -> list[Waiting]:
    """Return what is not yet handled of these chats, whoever kept it."""
    if not chats:
        return []
    found = _WAITING[any(chat == 0 for _, chat in chats)]
    given = {"accounts": list({account for account, _ in chats}), "chats": [chat for _, chat in chats]}
    rows = (await session.execute(found, given | {"most": limit})).all()
    return [Waiting(*row) for row in rows if (row.account_id, row.chat_id or 0) in chats]


def _lives(now: Any) -> ColumnElement[bool]:
    """Say of a claim that its process renews its lease."""
    of_holder = lease.c.name == literal(PREFIX) + claim.c.holder
    return exists().where(of_holder, lease.c.until >= now).correlate(claim)


def _waiting(*, chatless: bool) -> Select[Any]:
    """Build what asks the index for chats; updates of no chat are asked for besides, and only then."""
    listed: ColumnElement[bool] = inbox.c.chat_id.in_(bindparam("chats", expanding=True))
    return (
        select(
            inbox.c.id,
            inbox.c.account_id,
            inbox.c.chat_id,
            inbox.c.raw,
            inbox.c.state == "effective",
            inbox.c.update_id,
        )
        .where(
            inbox.c.state.in_(OPEN),
            inbox.c.account_id.in_(bindparam("accounts", expanding=True)),
            or_(listed, inbox.c.chat_id.is_(None)) if chatless else listed,
        )
        .order_by(inbox.c.id)
        .limit(bindparam("most", type_=Integer))
    )


_WAITING = {chatless: _waiting(chatless=chatless) for chatless in (False, True)}
_OTHERS = exists().where(
    claim.c.account_id == inbox.c.account_id,
    claim.c.chat_id == func.coalesce(inbox.c.chat_id, 0),
    claim.c.holder != bindparam("me"),
    _lives(bindparam("now", type_=UtcDateTime)),
)
_OPEN_CHATS = (
    select(inbox.c.id, inbox.c.account_id, inbox.c.chat_id)
    .where(inbox.c.state.in_(OPEN), inbox.c.account_id.in_(bindparam("accounts", expanding=True)), ~_OTHERS)
    .order_by(inbox.c.id)
    .limit(bindparam("most", type_=Integer))
)


async def reap(session: AsyncSession, now: datetime) -> None:
    """Drop what processes left that are long gone."""
    gone = select(lease.c.holder).where(lease.c.name.startswith(PREFIX), lease.c.until < now - DEAD_KEPT)
    await session.execute(delete(claim).where(claim.c.holder.in_(gone)))
    await session.execute(
        delete(lease).where(lease.c.name.startswith(PREFIX), lease.c.until < now - DEAD_KEPT)
    )
