"""Dispatches with what they tell and where they come from: by organisation, by words, those that wait for a decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DispatchState, Lane
from domain.nudges import SOURCE as NUDGE
from domain.organisations import subtree_bounds
from domain.polls import PollState
from storage import polls, reopening
from storage.notices import SOURCE as NOTICE
from storage.tables import metadata

dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
notice = metadata.tables["notice"]
organisation = metadata.tables["organisation"]
poll = metadata.tables["poll"]
slice_ = metadata.tables["slice"]

OF_NOTICES = (NOTICE, NUDGE)
OF_POLLS = (polls.SOURCE, polls.RESULT_SOURCE, polls.CLOSED_SOURCE)
BY_PEOPLE = (*OF_NOTICES, *OF_POLLS)
COUNTERS = ("sent", "unreachable", "rejected", "skipped", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Origin:
    """The organisation in whose name a dispatch goes out, and who wrote what it says."""

    path: str
    organisation_id: int
    name: str
    name_en: str
    zone: str
    author: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A dispatch as a list shows it; of what nobody wrote there is no `origin`, and `about` is empty."""

    id: int
    source: str
    source_id: int
    state: DispatchState
    planned: int
    created_at: datetime
    finished_at: datetime | None
    useful_until: datetime | None
    sensitive: bool
    urgent: bool
    about: str
    about_state: str | None
    origin: Origin | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """Whose dispatches are looked at: those that came from these subtrees; `own` are the bridge's own as well."""

    paths: Sequence[str]
    own: bool = False


async def going(session: AsyncSession, seen: Seen, limit: int) -> list[Listed]:
    """Return what runs or is paused, the latest first."""
    is_open = dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED])
    return await _read(session, _visible(seen).where(is_open), limit)


async def doubtful(
    session: AsyncSession, seen: Seen, now: datetime, told_in: Mapping[PollState, str], limit: int
) -> list[Listed]:
    """Return what some perhaps received and somebody can decide about still, the latest first.

    `told_in` has the message about which a poll can be asked, by its state.
    """
    waiting = reopening.with_parked(now).with_only_columns(dispatch.c.id)
    told = (and_(poll.c.state == state, dispatch.c.source == source) for state, source in told_in.items())
    found = _visible(seen).where(
        dispatch.c.id.in_(waiting),
        dispatch.c.state != DispatchState.CANCELLED,
        or_(dispatch.c.source.not_in(OF_POLLS), *told),
    )
    return await _read(session, found, limit)


async def past(
    session: AsyncSession,
    seen: Seen,
    *,
    by_people: bool,
    before: int | None,
    search: str,
    sensitive: bool,
    limit: int,
) -> list[Listed]:
    """Return what people wrote, or what the bridge tells by itself, the latest first, below the number `before`.

    Without `sensitive` a search does not look into what is: a hit would tell of its words.
    """
    found = _visible(seen).where(dispatch.c.source.in_(BY_PEOPLE) if by_people else ~_written())
    if before is not None:
        found = found.where(dispatch.c.id < before)
    if search:
        words = (column.icontains(search, autoescape=True) for column in (notice.c.text, poll.c.question))
        found = found.where(or_(*words), true() if sensitive else dispatch.c.home_only.is_(False))
    return await _read(session, found, limit)


async def one(session: AsyncSession, seen: Seen, dispatch_id: int) -> Listed | None:
    found = await _read(session, _visible(seen).where(dispatch.c.id == dispatch_id), 1)
    return found[0] if found else None


def _written() -> ColumnElement[bool]:
    return dispatch.c.source.in_(BY_PEOPLE)


def _visible(seen: Seen) -> Select[Any]:
    author = member.alias("author")
    of_notice = and_(dispatch.c.source.in_(OF_NOTICES), notice.c.id == dispatch.c.source_id)
    of_poll = and_(dispatch.c.source.in_(OF_POLLS), poll.c.id == dispatch.c.source_id)
    bounds = [subtree_bounds(path) for path in seen.paths]
    inside = or_(
        false(), *(and_(organisation.c.path >= low, organisation.c.path < high) for low, high in bounds)
    )
    return (
        select(
            dispatch,
            func.coalesce(notice.c.text, poll.c.question, "").label("about"),
            func.coalesce(notice.c.state, poll.c.state).label("about_state"),
            organisation.c.id.label("organisation_id"),
            organisation.c.path,
            organisation.c.name,
            organisation.c.name_en,
            organisation.c.zone,
            author.c.name.label("author"),
        )
        .select_from(dispatch)
        .outerjoin(notice, of_notice)
        .outerjoin(poll, of_poll)
        .outerjoin(organisation, organisation.c.id == _either("organisation_id"))
        .outerjoin(author, author.c.id == _either("author_id"))
        .where(or_(inside, and_(~_written(), true() if seen.own else false())))
        .order_by(dispatch.c.id.desc())
    )


def _either(column: str) -> ColumnElement[int]:
    return case((notice.c.id.is_not(None), notice.c[column]), else_=poll.c[column])


async def _read(session: AsyncSession, found: Select[Any], limit: int) -> list[Listed]:
    rows = (await session.execute(found.limit(limit))).all()
    counts = await _counts(session, [row.id for row in rows])
    return [_to_listed(row, counts[row.id]) for row in rows]


async def _counts(session: AsyncSession, numbers: Sequence[int]) -> dict[int, dict[str, int]]:
    """Add up the slices of these dispatches."""
    sums = [func.coalesce(func.sum(slice_.c[name]), 0).label(name) for name in COUNTERS]
    wanted = select(slice_.c.dispatch_id, *sums).where(slice_.c.dispatch_id.in_(numbers))
    rows = (await session.execute(wanted.group_by(slice_.c.dispatch_id))).all()
    summed = {row.dispatch_id: {name: int(getattr(row, name)) for name in COUNTERS} for row in rows}
    return {number: summed.get(number, dict.fromkeys(COUNTERS, 0)) for number in numbers}


def _to_listed(row: Any, counts: dict[str, int]) -> Listed:
    origin = None
    if row.organisation_id is not None:
        origin = Origin(row.path, row.organisation_id, row.name, row.name_en, row.zone, row.author or "")
    return Listed(
        id=row.id,
        source=row.source,
        source_id=row.source_id,
        state=DispatchState(row.state),
        planned=row.planned,
        created_at=row.created_at,
        finished_at=row.finished_at,
        useful_until=row.useful_until,
        sensitive=bool(row.home_only),
        urgent=Lane(row.lane) is Lane.URGENT,
        about=row.about.strip().partition("\n")[0],
        about_state=row.about_state,
        origin=origin,
        counts=counts,
    )
