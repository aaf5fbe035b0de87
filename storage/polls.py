"""Polls: their text and state, who was asked, who took part, and the desk of those who ask."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.messages import Media
from domain.notices import Sender
from domain.organisations import subtree_bounds
from domain.polls import Poll, PollState, options_of
from storage import number_lists
from storage.tables import metadata

delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
named_vote = metadata.tables["named_vote"]
organisation = metadata.tables["organisation"]
participation = metadata.tables["participation"]
poll = metadata.tables["poll"]

SOURCE = "poll"
RESULT_SOURCE = "poll_result"
CLOSED_SOURCE = "poll_closed"
CHART_NAME = "result.png"
_author = member.alias("author")
_rank = case(
    {
        PollState.DRAFT: 0,
        PollState.CLOSED: 1,
        PollState.OPEN: 2,
        PollState.CLOSING: 2,
        PollState.SCHEDULED: 3,
    },
    value=poll.c.state,
    else_=4,
)


async def add(
    session: AsyncSession, *, organisation_id: int, author_id: int, question: str, now: datetime
) -> int:
    """Write a new draft, anonymous and taking suggestions, and return its id."""
    values = {
        "organisation_id": organisation_id,
        "author_id": author_id,
        "state": PollState.DRAFT,
        "question": question,
        "options": [],
        "multiple": False,
        "suggestions": True,
        "anonymous": True,
        "live": False,
        "what_changed": "",
        "created_at": now,
    }
    return int((await session.execute(insert(poll).values(values).returning(poll.c.id))).scalar_one())


async def same_draft(session: AsyncSession, author_id: int, question: str, since: datetime) -> int | None:
    """Return the author's draft of just this question begun since then: the same update come twice."""
    found = (
        select(poll.c.id)
        .where(poll.c.author_id == author_id, poll.c.state == PollState.DRAFT)
        .where(poll.c.created_at >= since, poll.c.question == question)
        .limit(1)
    )
    return (await session.execute(found)).scalar()


async def read(session: AsyncSession, poll_id: int) -> Poll | None:
    row = (await session.execute(_polls().where(poll.c.id == poll_id))).one_or_none()
    return None if row is None else _to_poll(row)


async def write(session: AsyncSession, poll_id: int, **values: Any) -> None:
    await session.execute(update(poll).where(poll.c.id == poll_id).values(values))


async def step(
    session: AsyncSession,
    poll_id: int,
    states: Iterable[PollState],
    to: PollState,
    *,
    aimed_at: int | None = None,
    **values: Any,
) -> bool:
    """Move a poll on if it is in one of these states, for this audience; of two who try, one does."""
    moved = (
        update(poll)
        .where(poll.c.id == poll_id, poll.c.state.in_(list(states)))
        .where(true() if aimed_at is None else poll.c.audience_id == aimed_at)
        .values(state=to, **values)
        .returning(poll.c.id)
    )
    return (await session.execute(moved)).first() is not None


async def discard(session: AsyncSession, poll_id: int) -> None:
    """Delete a draft; nothing refers to it."""
    await session.execute(delete(poll).where(poll.c.id == poll_id, poll.c.state == PollState.DRAFT))


async def desk(
    session: AsyncSession, author_id: int, paths: Sequence[str], *, offset: int, limit: int
) -> list[Poll]:
    """Return one's drafts, what owes a result, what is open, then the rest of these subtrees, the latest first."""
    own = and_(poll.c.state == PollState.DRAFT, poll.c.author_id == author_id)
    shared = and_(poll.c.state != PollState.DRAFT, or_(*(_below(path) for path in paths)))
    moment = func.coalesce(poll.c.closed_at, poll.c.opened_at, poll.c.opens_at, poll.c.created_at)
    found = _polls().where(or_(own, shared) if paths else own)
    rows = await session.execute(
        found.order_by(_rank, moment.desc(), poll.c.id.desc()).offset(offset).limit(limit)
    )
    return [_to_poll(row) for row in rows]


async def owed(session: AsyncSession, author_id: int) -> Poll | None:
    """Return the author's oldest closed poll without a published result."""
    found = _polls().where(poll.c.author_id == author_id, poll.c.state == PollState.CLOSED)
    row = (await session.execute(found.order_by(poll.c.closed_at, poll.c.id).limit(1))).one_or_none()
    return None if row is None else _to_poll(row)


async def in_state(session: AsyncSession, state: PollState) -> list[int]:
    return list((await session.execute(select(poll.c.id).where(poll.c.state == state))).scalars())


async def to_open(session: AsyncSession, now: datetime) -> list[int]:
    """Return the scheduled polls whose time has come, in that order."""
    found = select(poll.c.id).where(poll.c.state == PollState.SCHEDULED, poll.c.opens_at <= now)
    return list((await session.execute(found.order_by(poll.c.opens_at, poll.c.id))).scalars())


async def to_close(session: AsyncSession, now: datetime) -> list[int]:
    """Return the open polls whose time is over."""
    found = select(poll.c.id).where(poll.c.state == PollState.OPEN, poll.c.closes_at <= now)
    return list((await session.execute(found.order_by(poll.c.closes_at, poll.c.id))).scalars())


async def recall_due(session: AsyncSession, now: datetime) -> None:
    """Make drafts again of the scheduled polls whose time has come."""
    come = and_(poll.c.state == PollState.SCHEDULED, poll.c.opens_at <= now)
    await session.execute(update(poll).where(come).values(state=PollState.DRAFT, opens_at=None))


async def dispatch_of(session: AsyncSession, poll_id: int, source: str = SOURCE) -> int | None:
    """Return the dispatch of a poll's call, or of another of its messages."""
    found = select(func.max(dispatch.c.id)).where(
        dispatch.c.source == source, dispatch.c.source_id == poll_id
    )
    return (await session.execute(found)).scalar()


async def count_asked(session: AsyncSession, poll_id: int) -> int:
    found = select(func.coalesce(func.sum(dispatch.c.planned), 0)).where(
        dispatch.c.source == SOURCE, dispatch.c.source_id == poll_id
    )
    return int((await session.execute(found)).scalar_one())


async def count_voted(session: AsyncSession, poll_id: int) -> int:
    counted = select(func.count()).where(participation.c.poll_id == poll_id)
    return int((await session.execute(counted)).scalar_one())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member who was asked stands in a poll."""

    poll: Poll
    took_part: bool
    chosen: int | None


async def places_of(
    session: AsyncSession, asked: Collection[tuple[int, int]], *, hold: bool = False
) -> dict[tuple[int, int], Place]:
    """Return how polls stand for members, by (poll, member); who was not asked is left out.

    With `hold` these polls cannot change before this transaction ends; others may hold them too.
    """
    wanted = {"polls": sorted({poll_id for poll_id, _ in asked})}
    found = {row.id: _to_poll(row) for row in (await session.execute(_wanted(hold=hold), wanted)).all()}
    given = {"asked": number_lists.given(sorted(set(asked)))}
    rows = (await session.execute(_places(session.get_bind().dialect.name), given)).all()
    return {
        (row.poll_id, row.member_id): Place(found[row.poll_id], row.took_part, row.chosen)
        for row in rows
        if row.poll_id in found
    }


@cache
def _wanted(*, hold: bool) -> Any:
    wanted = _polls().where(poll.c.id.in_(bindparam("polls", expanding=True))).order_by(poll.c.id)
    return wanted.with_for_update(read=True, of=poll) if hold else wanted


@cache
def _places(dialect: str) -> Any:
    """Build it once: each tap on a poll asks it."""
    asked = number_lists.table_of(dialect, "asked", "poll_id", "member_id")
    was_asked = exists().where(
        dispatch.c.source == SOURCE,
        dispatch.c.source_id == asked.c.poll_id,
        delivery.c.dispatch_id == dispatch.c.id,
        delivery.c.member_id == asked.c.member_id,
    )
    mine = exists().where(
        participation.c.poll_id == asked.c.poll_id, participation.c.member_id == asked.c.member_id
    )
    chosen = select(named_vote.c.chosen).where(
        named_vote.c.poll_id == asked.c.poll_id, named_vote.c.member_id == asked.c.member_id
    )
    return select(
        asked.c.poll_id, asked.c.member_id, mine.label("took_part"), chosen.scalar_subquery().label("chosen")
    ).where(was_asked)


async def asked(
    session: AsyncSession,
    member_id: int,
    states: Iterable[PollState],
    *,
    took_part: bool | None,
    offset: int,
    limit: int,
) -> list[tuple[Poll, bool]]:
    """Return the polls a member was asked, with whether they took part; the soonest to close, or last closed, first."""
    mine = exists().where(participation.c.poll_id == poll.c.id, participation.c.member_id == member_id)
    was = (
        select(dispatch.c.source_id)
        .join(delivery, delivery.c.dispatch_id == dispatch.c.id)
        .where(delivery.c.member_id == member_id, dispatch.c.source == SOURCE)
    )
    wanted = list(states)
    found = _polls(mine.label("took_part")).where(poll.c.id.in_(was), poll.c.state.in_(wanted))
    if took_part is not None:
        found = found.where(mine if took_part else ~mine)
    order = [poll.c.closes_at] if PollState.OPEN in wanted else [poll.c.closed_at.desc()]
    rows = await session.execute(found.order_by(mine, *order, poll.c.id).offset(offset).limit(limit))
    return [(_to_poll(row), bool(row.took_part)) for row in rows]


def _polls(*more: ColumnElement[Any]) -> Select[Any]:
    return (
        select(
            poll,
            organisation.c.path.label("sender_path"),
            organisation.c.name.label("sender_name"),
            organisation.c.name_en.label("sender_name_en"),
            organisation.c.zone.label("sender_zone"),
            _author.c.name.label("author_name"),
            *more,
        )
        .join(organisation, organisation.c.id == poll.c.organisation_id)
        .join(_author, _author.c.id == poll.c.author_id)
    )


def _below(path: str) -> ColumnElement[bool]:
    low, high = subtree_bounds(path)
    return and_(organisation.c.path >= low, organisation.c.path < high)


def _to_poll(row: Any) -> Poll:
    return Poll(
        id=row.id,
        sender=Sender(
            organisation_id=row.organisation_id,
            path=row.sender_path,
            name=row.sender_name,
            name_en=row.sender_name_en,
            zone=row.sender_zone,
            author_id=row.author_id,
            author=row.author_name,
        ),
        state=PollState(row.state),
        question=row.question,
        options=options_of(row.options),
        multiple=row.multiple,
        suggestions=row.suggestions,
        anonymous=row.anonymous,
        live=row.live,
        audience_id=row.audience_id,
        created_at=row.created_at,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        what_changed=row.what_changed,
        published_at=row.published_at,
        chart=None if row.chart_digest is None else Media("photo", CHART_NAME, row.chart_digest),
    )
