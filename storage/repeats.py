"""Repeating notices in the database: their copies, each a notice of its own, and the list of them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, literal, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.notices import Notice, NoticeState
from storage import notices
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

notice = metadata.tables["notice"]

COPIED = (
    "organisation_id",
    "author_id",
    "audience_id",
    "topic_id",
    "text",
    "entities",
    "media_kind",
    "media_name",
    "media_digest",
    "more_media",
    "needs_confirmation",
    "sensitive",
    "urgent",
    "nudge_after",
)


async def copy(session: AsyncSession, notice_id: int, now: datetime) -> int:
    """Write a copy of a repeating notice as a draft, and return its id."""
    columns = [notice.c[name] for name in COPIED]
    mine = select(
        *columns, literal(NoticeState.DRAFT.value), literal(now, UtcDateTime), literal(notice_id)
    ).where(notice.c.id == notice_id)
    names = [*COPIED, "state", "created_at", "copy_of"]
    added = await session.execute(insert(notice).from_select(names, mine).returning(notice.c.id))
    return int(added.scalar_one())


async def copies(session: AsyncSession, notice_id: int, limit: int) -> list[Notice]:
    """Return the latest copies of a repeating notice, the latest first."""
    found = select(notice.c.id).where(notice.c.copy_of == notice_id).order_by(notice.c.id.desc()).limit(limit)
    ids = list((await session.execute(found)).scalars())
    return [one for each in ids if (one := await notices.read(session, each)) is not None]


async def repeating(session: AsyncSession, paths: Sequence[str], *, offset: int, limit: int) -> list[Notice]:
    """Return the notices that repeat from these subtrees, the newest first."""
    if not paths:
        return []
    found = (
        notices.all_notices()
        .where(notice.c.state == NoticeState.REPEATING, or_(*(notices.within(path) for path in paths)))
        .order_by(notice.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [notices.to_notice(row) for row in await session.execute(found)]
