"""Ballots: what named voters chose, what anonymous ones cast under seal, and the cells both are counted in."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, TextClause, bindparam, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.organisations import chain_of
from domain.poll_counting import Count
from storage import number_lists
from storage.tables import metadata

named_vote = metadata.tables["named_vote"]
organisation = metadata.tables["organisation"]
participation = metadata.tables["participation"]
poll = metadata.tables["poll"]
poll_cell = metadata.tables["poll_cell"]
sealed_suggestion = metadata.tables["sealed_suggestion"]
sealed_vote = metadata.tables["sealed_vote"]

TOKEN_BITS = 63


@dataclass(frozen=True, slots=True)
class Sealed:
    """Something cast under seal, and the organisation it was cast from."""

    organisation_id: int
    path: str
    sealed: bytes


class NamedVote(NamedTuple):
    """What a member chose, as a bit mask, and where it is counted."""

    poll_id: int
    member_id: int
    organisation_id: int
    chosen: int


class SealedVote(NamedTuple):
    """What somebody chose under seal, and where it is counted."""

    poll_id: int
    organisation_id: int
    sealed: bytes


async def take_part(session: AsyncSession, members: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Write down that members took part, each as (poll, member); return those that had not."""
    given = {"taken": number_lists.given(sorted(members))}
    rows = await session.execute(_taken(session.get_bind().dialect.name), given)
    return {(row.poll_id, row.member_id) for row in rows.all()}


@cache
def _taken(dialect: str) -> TextClause:
    columns = ("poll_id", "member_id")
    return text(
        f"INSERT INTO participation ({', '.join(columns)}) {_from(dialect, 'taken', columns)}"
        " ON CONFLICT DO NOTHING RETURNING poll_id, member_id"
    )


async def choose(session: AsyncSession, votes: Iterable[NamedVote]) -> None:
    """Write named votes, or change them; no two of one member in one poll."""
    await session.execute(
        _chosen(session.get_bind().dialect.name), {"votes": number_lists.given(sorted(votes))}
    )


@cache
def _chosen(dialect: str) -> TextClause:
    columns = NamedVote._fields
    return text(
        f"INSERT INTO named_vote ({', '.join(columns)}) {_from(dialect, 'votes', columns)}"
        " ON CONFLICT (poll_id, member_id) DO UPDATE"
        " SET chosen = excluded.chosen, organisation_id = excluded.organisation_id"
    )


def _from(dialect: str, parameter: str, columns: Sequence[str]) -> str:
    read = number_lists.rows_of(dialect, parameter, *columns)
    return f"SELECT {', '.join(columns)} FROM ({read}) AS given WHERE true"  # noqa: S608 - names of ours


async def named(session: AsyncSession, poll_id: int) -> list[tuple[str, int, int]]:
    """Return (path of an organisation, choice, how many chose it there)."""
    counted = (
        select(organisation.c.path, named_vote.c.chosen, func.count().label("votes"))
        .join(organisation, organisation.c.id == named_vote.c.organisation_id)
        .where(named_vote.c.poll_id == poll_id)
        .group_by(organisation.c.path, named_vote.c.chosen)
    )
    return [(row.path, row.chosen, row.votes) for row in (await session.execute(counted)).all()]


async def cast(session: AsyncSession, votes: Collection[SealedVote]) -> None:
    """Keep anonymous votes under random tokens until they are counted, in an order that tells nothing."""
    rows = [{**vote._asdict(), "token": secrets.randbits(TOKEN_BITS)} for vote in votes]
    await session.execute(insert(sealed_vote), sorted(rows, key=lambda row: row["token"]))


async def lock(session: AsyncSession, poll_id: int) -> None:
    """Let nobody else count this poll, nor vote in it, until this transaction ends."""
    await session.execute(select(poll.c.id).where(poll.c.id == poll_id).with_for_update())


async def waiting(session: AsyncSession, poll_id: int) -> dict[str, int]:
    """Count the votes under seal by the path of their organisation."""
    counted = (
        select(organisation.c.path, func.count().label("votes"))
        .join(organisation, organisation.c.id == sealed_vote.c.organisation_id)
        .where(sealed_vote.c.poll_id == poll_id)
        .group_by(organisation.c.path)
    )
    return {row.path: row.votes for row in (await session.execute(counted)).all()}


async def with_votes_waiting(session: AsyncSession) -> list[int]:
    """Return the polls that have votes under seal."""
    return list((await session.execute(select(sealed_vote.c.poll_id).distinct())).scalars())


async def take_votes(session: AsyncSession, poll_id: int, path: str | None = None) -> list[Sealed]:
    """Take votes out from under their seal, all of a poll or those of one organisation."""
    mine = sealed_vote.c.poll_id == poll_id
    if path is not None:
        here = select(organisation.c.id).where(organisation.c.path == path).scalar_subquery()
        mine = mine & (sealed_vote.c.organisation_id == here)
    return await _take(session, sealed_vote, mine)


async def replace_suggestion(
    session: AsyncSession, poll_id: int, owner: bytes, organisation_id: int, sealed: bytes
) -> None:
    """Keep a suggestion under seal until the poll closes; its author may replace it."""
    written = _insert(session)(sealed_suggestion).values(
        poll_id=poll_id, owner=owner, organisation_id=organisation_id, sealed=sealed
    )
    await session.execute(
        written.on_conflict_do_update(
            index_elements=["poll_id", "owner"], set_={"sealed": sealed, "organisation_id": organisation_id}
        )
    )


async def suggestions(
    session: AsyncSession, polls: Collection[int], owners: Collection[bytes]
) -> dict[bytes, bytes]:
    """Return what waits under seal, by its owner: an owner is one member in one of these polls."""
    if not owners:
        return {}
    rows = await session.execute(_OWNED, {"polls": sorted(polls), "owners": sorted(owners)})
    return {bytes(row.owner): bytes(row.sealed) for row in rows.all()}


_OWNED = select(sealed_suggestion.c.owner, sealed_suggestion.c.sealed).where(
    sealed_suggestion.c.poll_id.in_(bindparam("polls", expanding=True)),
    sealed_suggestion.c.owner.in_(bindparam("owners", expanding=True)),
)


async def count_suggestions(session: AsyncSession, poll_id: int) -> int:
    counted = select(func.count()).where(sealed_suggestion.c.poll_id == poll_id)
    return int((await session.execute(counted)).scalar_one())


async def take_suggestions(session: AsyncSession, poll_id: int) -> list[Sealed]:
    """Take a poll's suggestions out from under their seal."""
    return await _take(session, sealed_suggestion, sealed_suggestion.c.poll_id == poll_id)


async def drop(session: AsyncSession, poll_id: int) -> None:
    """Forget what was cast and not counted, when a poll is cancelled."""
    for table in (sealed_vote, sealed_suggestion):
        await session.execute(delete(table).where(table.c.poll_id == poll_id))


async def cells(session: AsyncSession, poll_id: int) -> dict[str, Count]:
    """Return the counted cells by the path of their organisation."""
    found = (
        select(organisation.c.path, poll_cell.c.voted, poll_cell.c.options)
        .join(organisation, organisation.c.id == poll_cell.c.organisation_id)
        .where(poll_cell.c.poll_id == poll_id)
    )
    return {row.path: Count(row.voted, tuple(row.options)) for row in (await session.execute(found)).all()}


async def add_to_cells(session: AsyncSession, poll_id: int, more: dict[str, Count]) -> None:
    """Add groups to a poll's cells; the caller holds the poll's lock."""
    before = await cells(session, poll_id)
    fresh: list[dict[str, Any]] = []
    grown: list[dict[str, Any]] = []
    for path, count in sorted(more.items()):
        whole = before[path] + count if path in before else count
        row = {
            "in_poll": poll_id,
            "at": chain_of(path)[-1],
            "voted": whole.voted,
            "options": list(whole.options),
        }
        (grown if path in before else fresh).append(row)
    if fresh:
        columns: dict[str, Any] = {"poll_id": bindparam("in_poll"), "organisation_id": bindparam("at")}
        await session.execute(insert(poll_cell).values(columns), fresh)
    if grown:
        here = (poll_cell.c.poll_id == bindparam("in_poll")) & (
            poll_cell.c.organisation_id == bindparam("at")
        )
        connection = await session.connection()
        await connection.execute(update(poll_cell).where(here), grown)


async def _take(session: AsyncSession, table: Table, mine: ColumnElement[bool]) -> list[Sealed]:
    """Delete what was under seal and return it in random order."""
    places = select(organisation.c.id, organisation.c.path).where(
        organisation.c.id.in_(select(table.c.organisation_id).where(mine))
    )
    paths = {row.id: row.path for row in (await session.execute(places)).all()}
    taken = await session.execute(
        delete(table).where(mine).returning(table.c.organisation_id, table.c.sealed)
    )
    sealed = [
        Sealed(row.organisation_id, paths[row.organisation_id], bytes(row.sealed)) for row in taken.all()
    ]
    secrets.SystemRandom().shuffle(sealed)
    return sealed


def _insert(session: AsyncSession) -> Any:
    return sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
