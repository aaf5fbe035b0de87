"""Requests to send a notice beyond the usual, for a price or urgently."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState
from domain.notices import NoticeState
from domain.send_requests import ANSWER_WITHIN, RequestState, SendRequest, Way
from storage.notices import all_notices, to_notice, within
from storage.tables import metadata

delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
notice = metadata.tables["notice"]
organisation = metadata.tables["organisation"]
request = metadata.tables["send_request"]
_asker = member.alias("asker")
_mine = ("id", "way", "digest", "messages", "stars", "state", "asked_by", "asked_at", "decided_by")
ON_ITS_WAY = (DeliveryState.WAITING, DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.UNKNOWN)
_DRAFT = exists().where(notice.c.id == request.c.notice_id, notice.c.state == NoticeState.DRAFT)


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody who was told of a request, and whether that reaches them."""

    name: str
    reached: bool


async def lock_notice(session: AsyncSession, notice_id: int) -> None:
    """Let nobody else change a notice until this transaction ends."""
    await session.execute(select(notice.c.id).where(notice.c.id == notice_id).with_for_update())


async def add(session: AsyncSession, **values: Any) -> int | None:
    """Write a request that waits for a second person; `None` if one waits for this notice already."""
    upsert: Any = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    added = upsert(request).values(state=RequestState.ASKED, **values).on_conflict_do_nothing()
    return (await session.execute(added.returning(request.c.id))).scalar()


async def read(session: AsyncSession, request_id: int) -> SendRequest | None:
    return next(iter(await _read(session, _requests().where(request.c.id == request_id))), None)


async def waiting_for(session: AsyncSession, notice_id: int) -> SendRequest | None:
    """Return the request for a notice that is not decided."""
    mine = (request.c.notice_id == notice_id, request.c.state == RequestState.ASKED)
    return next(iter(await _read(session, _requests().where(*mine))), None)


async def waiting(
    session: AsyncSession, paths: Sequence[str], *, but: int, offset: int, limit: int
) -> list[SendRequest]:
    """Return the requests of others in these subtrees that are not decided, the urgent first, then the oldest."""
    found = _requests().where(_undecided(paths, but))
    order = (request.c.way != Way.URGENT, request.c.id)
    return await _read(session, found.order_by(*order).offset(offset).limit(limit))


async def count_waiting(session: AsyncSession, paths: Sequence[str], *, but: int) -> int:
    """Count the requests of others in these subtrees that are not decided."""
    if not paths:
        return 0
    found = (
        select(func.count())
        .select_from(request)
        .join(notice, notice.c.id == request.c.notice_id)
        .join(organisation, organisation.c.id == notice.c.organisation_id)
        .where(_undecided(paths, but))
    )
    return int((await session.execute(found)).scalar_one())


def _undecided(paths: Sequence[str], but: int) -> ColumnElement[bool]:
    return and_(
        request.c.state == RequestState.ASKED,
        request.c.asked_by != but,
        or_(false(), *(within(path) for path in paths)),
    )


async def decide(
    session: AsyncSession, request_id: int, state: RequestState, *, by: int | None, at: datetime
) -> bool:
    """Decide a request; `False` where it was decided already."""
    decided = (
        update(request)
        .where(request.c.id == request_id, request.c.state == RequestState.ASKED)
        .values(state=state, decided_by=by, decided_at=at)
        .returning(request.c.id)
    )
    return (await session.execute(decided)).first() is not None


async def told(session: AsyncSession, source: str, request_id: int) -> list[Told]:
    """Return who was told of a request, by name."""
    on_its_way = delivery.c.state.in_(ON_ITS_WAY)
    found = (
        select(member.c.name, on_its_way.label("is_reached"))
        .select_from(delivery.join(dispatch, dispatch.c.id == delivery.c.dispatch_id))
        .join(member, member.c.id == delivery.c.member_id)
        .where(dispatch.c.source == source, dispatch.c.source_id == request_id)
        .order_by(member.c.name, member.c.id)
    )
    return [Told(row.name, bool(row.is_reached)) for row in (await session.execute(found)).all()]


async def over(session: AsyncSession, now: datetime) -> list[tuple[int, RequestState]]:
    """Return what nobody has to decide any more, and how it ended: too old, or its notice is no draft any more."""
    old = [
        and_(request.c.way == way, request.c.asked_at <= now - time) for way, time in ANSWER_WITHIN.items()
    ]
    found = select(request.c.id, _DRAFT.label("stands")).where(
        request.c.state == RequestState.ASKED, or_(*old, ~_DRAFT)
    )
    rows = (await session.execute(found.order_by(request.c.id))).all()
    return [(row.id, RequestState.EXPIRED if row.stands else RequestState.WITHDRAWN) for row in rows]


def _requests() -> Select[Any]:
    columns = [request.c[name].label(f"request_{name}") for name in _mine]
    return (
        all_notices()
        .join(request, request.c.notice_id == notice.c.id)
        .join(_asker, _asker.c.id == request.c.asked_by)
        .add_columns(*columns, _asker.c.name.label("asker"))
    )


async def _read(session: AsyncSession, found: Select[Any]) -> list[SendRequest]:
    return [
        SendRequest(
            id=row.request_id,
            way=Way(row.request_way),
            notice=to_notice(row),
            digest=row.request_digest,
            messages=row.request_messages,
            stars=row.request_stars,
            state=RequestState(row.request_state),
            asked_by=row.request_asked_by,
            asker=row.asker,
            asked_at=row.request_asked_at,
            decided_by=row.request_decided_by,
        )
        for row in (await session.execute(found)).all()
    ]
