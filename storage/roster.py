"""Rosters that come in: the import itself, its staged rows, and what is read of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.organisations import OrganisationStatus, chain_of, subtree_bounds
from domain.roster import (
    Bad,
    Column,
    Figures,
    Heading,
    Import,
    ImportState,
    Look,
    Plan,
    Reason,
    RosterKind,
)
from domain.roster_places import Node
from storage.tables import metadata

imports = metadata.tables["roster_import"]
row = metadata.tables["roster_row"]
organisation = metadata.tables["organisation"]

OPEN = (ImportState.MAPPING, ImportState.STAGING, ImportState.READY)


async def add(
    session: AsyncSession,
    *,
    token: str,
    actor_id: int | None,
    organisation_id: int,
    scope: str,
    file_name: str,
    look: Look,
    now: datetime,
) -> int:
    values = {
        "token": token,
        "actor_id": actor_id,
        "organisation_id": organisation_id,
        "scope": scope,
        "file_name": file_name,
        "state": ImportState.MAPPING,
        "look": look_text(look),
        "plan": plan_text(look.plan),
        "created_at": now,
        "touched_at": now,
    }
    made = await session.execute(insert(imports).values(values).returning(imports.c.id))
    return int(made.scalar_one())


async def get(session: AsyncSession, import_id: int) -> Import | None:
    found = (await session.execute(select(imports).where(imports.c.id == import_id))).one_or_none()
    return None if found is None else _to_import(found)


async def open_of(session: AsyncSession, actor_id: int | None) -> list[Import]:
    """Return an actor's imports that are not over, the newest first."""
    mine = imports.c.actor_id == actor_id if actor_id is not None else imports.c.actor_id.is_(None)
    found = select(imports).where(mine, imports.c.state.in_(OPEN)).order_by(imports.c.id.desc())
    return [_to_import(each) for each in await session.execute(found)]


async def step(
    session: AsyncSession,
    import_id: int,
    before: Sequence[ImportState],
    now: datetime,
    *,
    idle_since: datetime | None = None,
    **values: Any,
) -> bool:
    """Change an import that stands in one of these states; `False` if it does not (any more)."""
    here = update(imports).where(imports.c.id == import_id, imports.c.state.in_(before))
    if idle_since is not None:
        here = here.where((imports.c.state != ImportState.STAGING) | (imports.c.touched_at <= idle_since))
    changed = await session.execute(here.values(touched_at=now, **values).returning(imports.c.id))
    return changed.first() is not None


def look_text(look: Look) -> str:
    return json.dumps(asdict(look), ensure_ascii=False)


def plan_text(plan: Plan) -> str:
    return json.dumps(dict(plan))


def figures_text(figures: Figures) -> str:
    return json.dumps(asdict(figures))


async def stage(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Stage rows; all must name the same columns."""
    if rows:
        await session.execute(insert(row), [dict(each) for each in rows])


async def staged_rows(session: AsyncSession, import_id: int) -> Sequence[Any]:
    """Return the rows that are not bad, by their lines."""
    found = select(row).where(row.c.import_id == import_id, row.c.reason == "").order_by(row.c.line)
    return (await session.execute(found)).all()


async def settle(session: AsyncSession, import_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what rows turned out to be; all must name the same columns."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "line"]
    change = (
        update(row)
        .where(row.c.import_id == import_id, row.c.line == bindparam("at_line"))
        .values({name: bindparam(f"to_{name}") for name in names})
    )
    values = [{"at_line": each["line"], **{f"to_{name}": each[name] for name in names}} for each in rows]
    connection = await session.connection()
    await connection.execute(change, values)


async def clear(session: AsyncSession, import_id: int, lines: int) -> int:
    """Drop staged rows, at most so many at once, so that nobody waits; returns how many."""
    some = select(row.c.line).where(row.c.import_id == import_id).limit(lines).scalar_subquery()
    gone = await session.execute(delete(row).where(row.c.import_id == import_id, row.c.line.in_(some)))
    return int(gone.rowcount)  # type: ignore[attr-defined]


async def last_line(session: AsyncSession, import_id: int) -> int:
    found = select(func.max(row.c.line)).where(row.c.import_id == import_id)
    return int((await session.execute(found)).scalar() or 0)


async def bad(session: AsyncSession, import_id: int, *, after: int = 0, limit: int) -> list[Bad]:
    """Return bad rows by their lines."""
    found = (
        select(row.c.line, row.c.reason, row.c.what)
        .where(row.c.import_id == import_id, row.c.reason != "", row.c.line > after)
        .order_by(row.c.line)
        .limit(limit)
    )
    return [Bad(each.line, Reason(each.reason), each.what) for each in await session.execute(found)]


async def touched_before(session: AsyncSession, before: datetime) -> list[tuple[int, str]]:
    """Return id and token of imports that nobody has touched since."""
    found = select(imports.c.id, imports.c.token).where(imports.c.touched_at < before)
    return [(each.id, each.token) for each in await session.execute(found)]


async def tokens(session: AsyncSession) -> set[str]:
    """Return the tokens of all imports."""
    return set((await session.execute(select(imports.c.token))).scalars())


async def forget(session: AsyncSession, import_id: int) -> None:
    """Drop an import whose rows are gone; the audit still says what it did."""
    await session.execute(delete(imports).where(imports.c.id == import_id))


async def places(session: AsyncSession, scope: str) -> list[Node]:
    """Return the active organisations of a subtree."""
    found = await session.execute(select(organisation).where(in_subtree(scope)))
    return [
        Node(
            id=each.id,
            parent_id=each.parent_id,
            name=each.name,
            number=each.roster_number,
            name_en=each.name_en,
            kind=each.kind,
            level=each.level,
            mode=each.regional_mode or "",
            contact=each.contact,
        )
        for each in found
        if each.status == OrganisationStatus.ACTIVE
    ]


async def name_of_parent(session: AsyncSession, organisation_id: int) -> str:
    above = organisation.alias("above")
    found = (
        select(above.c.name)
        .join(organisation, organisation.c.parent_id == above.c.id)
        .where(organisation.c.id == organisation_id)
    )
    return str((await session.execute(found)).scalar() or "")


async def root(session: AsyncSession) -> tuple[int, str] | None:
    """Return id and path of the tree's root."""
    found = select(organisation.c.id, organisation.c.path).where(organisation.c.parent_id.is_(None))
    first = (await session.execute(found.order_by(organisation.c.id).limit(1))).one_or_none()
    return None if first is None else (first.id, first.path)


def in_subtree(scope: str) -> ColumnElement[bool]:
    low, high = subtree_bounds(scope)
    return (organisation.c.path >= low) & (organisation.c.path < high)


def is_whole(scope: str) -> bool:
    """Say whether a scope is the whole tree, so that nothing need be asked of places."""
    return len(chain_of(scope)) == 1


def _to_import(found: Any) -> Import:
    look = json.loads(found.look)
    headings = tuple(
        Heading(
            each["index"], each["text"], Column(each["column"]) if each["column"] else None, each["never"]
        )
        for each in look["headings"]
    )
    return Import(
        id=found.id,
        token=found.token,
        actor_id=found.actor_id,
        organisation_id=found.organisation_id,
        scope=found.scope,
        file_name=found.file_name,
        state=ImportState(found.state),
        look=Look(look["sheet"], RosterKind(look["kind"]), headings, look["first"], look["about"]),
        plan={Column(name): index for name, index in json.loads(found.plan).items()},
        staged=found.staged,
        figures=Figures(**json.loads(found.figures)) if found.figures else Figures(),
        created_at=found.created_at,
        touched_at=found.touched_at,
    )
