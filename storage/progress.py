"""Which chat message shows the progress of which dispatch; kept with the dispatch, so that it survives a restart."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import Address
from domain.delivery import DispatchState
from storage.tables import metadata

dispatch = metadata.tables["dispatch"]
slice_ = metadata.tables["slice"]


@dataclass(frozen=True, slots=True)
class Watched:
    """A message that shows the progress of a dispatch of `source_id`; `resting` while all that is left is held."""

    dispatch_id: int
    source_id: int
    author_id: int
    to: Address
    message_id: int
    resting: bool


async def watch(session: AsyncSession, dispatch_id: int, to: Address, message_id: int) -> None:
    """Let a message show this dispatch; the one that did so before stays as it is."""
    await forget(session, to, message_id)
    values = {
        "progress_account_id": to.account_id,
        "progress_chat_id": to.chat_id,
        "progress_message_id": message_id,
    }
    await session.execute(update(dispatch).where(dispatch.c.id == dispatch_id).values(values))


async def forget(session: AsyncSession, to: Address, message_id: int) -> None:
    """Let a message be something else from now on."""
    await session.execute(
        update(dispatch)
        .where(
            dispatch.c.progress_account_id == to.account_id,
            dispatch.c.progress_chat_id == to.chat_id,
            dispatch.c.progress_message_id == message_id,
        )
        .values(progress_account_id=None, progress_chat_id=None, progress_message_id=None)
    )


async def watched(session: AsyncSession, source: str, now: datetime) -> list[Watched]:
    """Return the messages that show a dispatch of this source."""
    left = and_(slice_.c.dispatch_id == dispatch.c.id, slice_.c.done.is_(False))
    moving = or_(slice_.c.held_until.is_(None), slice_.c.held_until <= now)
    resting = and_(
        dispatch.c.state == DispatchState.RUNNING, exists().where(left), ~exists().where(left, moving)
    )
    found = select(dispatch, resting.label("resting")).where(
        dispatch.c.source == source, dispatch.c.progress_message_id.is_not(None)
    )
    return [
        Watched(
            dispatch_id=row.id,
            source_id=row.source_id,
            author_id=row.author_id,
            to=Address(row.progress_account_id, row.progress_chat_id),
            message_id=row.progress_message_id,
            resting=bool(row.resting),
        )
        for row in await session.execute(found)
    ]
