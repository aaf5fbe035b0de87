"""Dialogue states: one row per account, chat and user; no row is no dialogue."""

from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import metadata

fsm = metadata.tables["fsm"]
Key = tuple[int, int, int]
"""Account, chat and user."""
NOTHING = "{}"


async def read(session: AsyncSession, key: Key) -> tuple[str | None, str]:
    """Return the state and its data as JSON."""
    account_id, chat_id, user_id = key
    given = {"account": account_id, "chat": chat_id, "user": user_id}
    row = (await session.execute(_READ, given)).first()
    return (row.state, row.data) if row else (None, NOTHING)


_READ = select(fsm.c.state, fsm.c.data).where(
    fsm.c.account_id == bindparam("account"),
    fsm.c.chat_id == bindparam("chat"),
    fsm.c.user_id == bindparam("user"),
)
"""Built once, for it is read with almost every update."""


async def write(session: AsyncSession, key: Key, state: str | None, data: str, now: datetime) -> None:
    """Keep a state and its data; nothing of either removes the row."""
    if state is None and data == NOTHING:
        await session.execute(delete(fsm).where(_at(key)))
        return
    insert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    fields = {"state": state, "data": data, "changed_at": now}
    account_id, chat_id, user_id = key
    row = insert(fsm).values(account_id=account_id, chat_id=chat_id, user_id=user_id, **fields)
    await session.execute(
        row.on_conflict_do_update(index_elements=["account_id", "chat_id", "user_id"], set_=fields)
    )


async def reap(session: AsyncSession, before: datetime) -> None:
    """Forget dialogues that nobody went on with."""
    await session.execute(delete(fsm).where(fsm.c.changed_at < before))


def _at(key: Key) -> Any:
    account_id, chat_id, user_id = key
    return and_(fsm.c.account_id == account_id, fsm.c.chat_id == chat_id, fsm.c.user_id == user_id)
