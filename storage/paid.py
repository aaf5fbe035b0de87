"""Requests to send a notice quickly for a price."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.notices import NoticeState
from domain.paid import ANSWER_WITHIN, PaidRequest, PaidState
from storage.notices import all_notices, to_notice, within
from storage.tables import metadata

member = metadata.tables["member"]
notice = metadata.tables["notice"]
request = metadata.tables["paid_request"]
_asker = member.alias("asker")
_mine = ("id", "digest", "messages", "stars", "state", "asked_by", "asked_at", "decided_by")
_DRAFT = exists().where(notice.c.id == request.c.notice_id, notice.c.state == NoticeState.DRAFT)


async def lock_notice(session: AsyncSession, notice_id: int) -> None:
    """Let nobody else change a notice until this transaction ends."""
    await session.execute(select(notice.c.id).where(notice.c.id == notice_id).with_for_update())


async def add(session: AsyncSession, **values: Any) -> int | None:
    """Write a request that waits for a second person; `None` if one waits for this notice already."""
    upsert: Any = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    added = upsert(request).values(state=PaidState.ASKED, **values).on_conflict_do_nothing()
    return (await session.execute(added.returning(request.c.id))).scalar()


async def read(session: AsyncSession, request_id: int) -> PaidRequest | None:
    return next(iter(await _read(session, _requests().where(request.c.id == request_id))), None)


async def waiting_for(session: AsyncSession, notice_id: int) -> PaidRequest | None:
    """Return the request for a notice that is not decided."""
    mine = (request.c.notice_id == notice_id, request.c.state == PaidState.ASKED)
    return next(iter(await _read(session, _requests().where(*mine))), None)


async def waiting(
    session: AsyncSession, paths: Sequence[str], *, but: int, offset: int, limit: int
) -> list[PaidRequest]:
    """Return the requests of others in these subtrees that are not decided, oldest first."""
    found = _requests().where(
        request.c.state == PaidState.ASKED,
        request.c.asked_by != but,
        or_(*(within(path) for path in paths)),
    )
    return await _read(session, found.order_by(request.c.id).offset(offset).limit(limit))


async def decide(
    session: AsyncSession, request_id: int, state: PaidState, *, by: int | None, at: datetime
) -> bool:
    """Decide a request; `False` where it was decided already."""
    decided = (
        update(request)
        .where(request.c.id == request_id, request.c.state == PaidState.ASKED)
        .values(state=state, decided_by=by, decided_at=at)
        .returning(request.c.id)
    )
    return (await session.execute(decided)).first() is not None


async def over(session: AsyncSession, now: datetime) -> list[tuple[int, PaidState]]:
    """Return what nobody has to decide any more, and how it ended: too old, or its notice is no draft any more."""
    old = request.c.asked_at <= now - ANSWER_WITHIN
    found = select(request.c.id, _DRAFT.label("stands")).where(
        request.c.state == PaidState.ASKED, or_(old, ~_DRAFT)
    )
    rows = (await session.execute(found.order_by(request.c.id))).all()
    return [(row.id, PaidState.EXPIRED if row.stands else PaidState.WITHDRAWN) for row in rows]


def _requests() -> Select[Any]:
    columns = [request.c[name].label(f"request_{name}") for name in _mine]
    return (
        all_notices()
        .join(request, request.c.notice_id == notice.c.id)
        .join(_asker, _asker.c.id == request.c.asked_by)
        .add_columns(*columns, _asker.c.name.label("asker"))
    )


async def _read(session: AsyncSession, found: Select[Any]) -> list[PaidRequest]:
    return [
        PaidRequest(
            id=row.request_id,
            notice=to_notice(row),
            digest=row.request_digest,
            messages=row.request_messages,
            stars=row.request_stars,
            state=PaidState(row.request_state),
            asked_by=row.request_asked_by,
            asker=row.asker,
            asked_at=row.request_asked_at,
            decided_by=row.request_decided_by,
        )
        for row in (await session.execute(found)).all()
    ]
