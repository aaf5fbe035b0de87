"""Groups of suggestions that say the same: made, merged, tagged, and answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, insert, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.members import MemberStatus
from domain.organisations import subtree_bounds
from domain.suggestions import Group, GroupState, Suggestion
from storage.tables import metadata

member = metadata.tables["member"]
organisation = metadata.tables["organisation"]
suggestion = metadata.tables["suggestion"]
group = metadata.tables["suggestion_group"]

_part = group.alias("part")


async def with_ungrouped(session: AsyncSession) -> list[int]:
    """Return the organisations that suggestions without a group are addressed to."""
    found = select(suggestion.c.organisation_id).where(suggestion.c.group_id.is_(None)).distinct()
    return list((await session.execute(found)).scalars())


async def ungrouped(session: AsyncSession, organisation_id: int, limit: int) -> list[tuple[int, str]]:
    found = (
        select(suggestion.c.id, suggestion.c.text)
        .where(suggestion.c.organisation_id == organisation_id, suggestion.c.group_id.is_(None))
        .order_by(suggestion.c.day, suggestion.c.id)
        .limit(limit)
    )
    return [(row.id, row.text) for row in (await session.execute(found)).all()]


async def open_texts(session: AsyncSession, organisation_id: int) -> list[tuple[int, str]]:
    """Return (group, text) of all that is not answered, each with the group that leads it."""
    leads = func.coalesce(group.c.merged_into, group.c.id)
    leading = group.alias("leading")
    found = (
        select(leads.label("leads"), suggestion.c.text)
        .join(group, group.c.id == suggestion.c.group_id)
        .join(leading, leading.c.id == leads)
        .where(suggestion.c.organisation_id == organisation_id, leading.c.state == GroupState.OPEN)
        .order_by(suggestion.c.id)
    )
    return [(row.leads, row.text) for row in (await session.execute(found)).all()]


async def lock(session: AsyncSession, organisation_id: int) -> None:
    """Let nobody else group what is addressed to an organisation until this transaction ends."""
    await session.execute(
        select(organisation.c.id).where(organisation.c.id == organisation_id).with_for_update(key_share=True)
    )


async def new_group(session: AsyncSession, organisation_id: int, title: str) -> int:
    values = {
        "organisation_id": organisation_id, "title": title, "tag": "", "state": GroupState.OPEN, "answer": "",
    }  # fmt: skip
    return int((await session.execute(insert(group).values(values).returning(group.c.id))).scalar_one())


async def put(session: AsyncSession, suggestion_id: int, group_id: int) -> None:
    await session.execute(
        update(suggestion).where(suggestion.c.id == suggestion_id).values(group_id=group_id)
    )


async def groups(
    session: AsyncSession,
    paths: Sequence[str],
    *,
    state: GroupState | None = None,
    tag: str = "",
    poll_id: int | None = None,
    but: int | None = None,
    offset: int,
    limit: int,
) -> list[Group]:
    """Return groups addressed to these subtrees, the largest first."""
    found = _groups().where(or_(*(_below(path) for path in paths)), group.c.merged_into.is_(None))
    if state is not None:
        found = found.where(group.c.state == state)
    if tag:
        found = found.where(group.c.tag == tag)
    if but is not None:
        found = found.where(group.c.id != but)
    if poll_id is not None:
        found = found.where(exists().where(suggestion.c.poll_id == poll_id, _inside()))
    size = _size()
    rows = await session.execute(
        found.where(size > 0).order_by(size.desc(), group.c.id.desc()).offset(offset).limit(limit)
    )
    return [_to_group(row) for row in rows]


async def read_group(session: AsyncSession, group_id: int) -> Group | None:
    """Return a group; of one that was merged, the one that leads it."""
    leads = select(func.coalesce(_part.c.merged_into, _part.c.id)).where(_part.c.id == group_id)
    row = (await session.execute(_groups().where(group.c.id == leads.scalar_subquery()))).one_or_none()
    return None if row is None else _to_group(row)


async def group_of(session: AsyncSession, suggestion_id: int) -> int | None:
    """Return the group that leads a suggestion."""
    found = (
        select(func.coalesce(group.c.merged_into, group.c.id))
        .join(suggestion, suggestion.c.group_id == group.c.id)
        .where(suggestion.c.id == suggestion_id)
    )
    return (await session.execute(found)).scalar()


async def text_of(session: AsyncSession, suggestion_id: int) -> str:
    found = select(suggestion.c.text).where(suggestion.c.id == suggestion_id)
    return str((await session.execute(found)).scalar_one())


async def texts(session: AsyncSession, group_id: int, *, offset: int, limit: int) -> list[Suggestion]:
    """Return what a group holds, with the names of those who gave theirs."""
    found = (
        select(suggestion.c.id, suggestion.c.text, suggestion.c.day, suggestion.c.member_id, member.c.name)
        .join(group, group.c.id == suggestion.c.group_id)
        .outerjoin(member, member.c.id == suggestion.c.member_id)
        .where(or_(group.c.id == group_id, group.c.merged_into == group_id))
        .order_by(suggestion.c.day, suggestion.c.id)
        .offset(offset)
        .limit(limit)
    )
    rows = (await session.execute(found)).all()
    return [Suggestion(row.id, row.text, row.day, row.member_id, row.name) for row in rows]


async def tags(session: AsyncSession, paths: Sequence[str], limit: int) -> list[str]:
    """Return the tags used in these subtrees, the most used first."""
    found = (
        select(group.c.tag)
        .join(organisation, organisation.c.id == group.c.organisation_id)
        .where(or_(*(_below(path) for path in paths)), group.c.tag != "", group.c.merged_into.is_(None))
        .group_by(group.c.tag)
        .order_by(func.count().desc(), group.c.tag)
        .limit(limit)
    )
    return list((await session.execute(found)).scalars())


async def write_tag(session: AsyncSession, group_id: int, tag: str) -> None:
    await session.execute(update(group).where(group.c.id == group_id).values(tag=tag))


async def merge(session: AsyncSession, group_id: int, into_id: int) -> None:
    """Let one group lead another, and all that it led."""
    moved = or_(group.c.id == group_id, group.c.merged_into == group_id)
    await session.execute(update(group).where(moved).values(merged_into=into_id))


async def merged_last(session: AsyncSession, group_id: int) -> int | None:
    """Return one of the groups that this one leads."""
    found = select(func.max(group.c.id)).where(group.c.merged_into == group_id)
    return (await session.execute(found)).scalar()


async def part(session: AsyncSession, group_id: int) -> None:
    """Let a group stand for itself again."""
    await session.execute(update(group).where(group.c.id == group_id).values(merged_into=None))


async def answer(session: AsyncSession, group_id: int, text: str, member_id: int, now: datetime) -> bool:
    """Write the answer of an open group; of two who answer, one does."""
    answered = (
        update(group)
        .where(group.c.id == group_id, group.c.state == GroupState.OPEN, group.c.merged_into.is_(None))
        .values(state=GroupState.ANSWERED, answer=text, answered_by=member_id, answered_at=now)
        .returning(group.c.id)
    )
    return (await session.execute(answered)).first() is not None


async def named_authors(session: AsyncSession, group_id: int) -> list[int]:
    """Return the members who gave their name in a group and are still here, each once."""
    found = (
        select(suggestion.c.member_id)
        .join(group, group.c.id == suggestion.c.group_id)
        .join(member, member.c.id == suggestion.c.member_id)
        .where(or_(group.c.id == group_id, group.c.merged_into == group_id))
        .where(member.c.status == MemberStatus.ACTIVE)
        .distinct()
    )
    return sorted((await session.execute(found)).scalars())


async def answered_in_poll(session: AsyncSession, poll_id: int) -> list[tuple[str, int, str]]:
    """Return (title, how many of the poll's suggestions, answer) of the groups that were answered, the largest first."""
    leading = group.alias("leading")
    number = func.count(suggestion.c.id)
    found = (
        select(leading.c.title, number.label("number"), leading.c.answer)
        .select_from(suggestion)
        .join(group, group.c.id == suggestion.c.group_id)
        .join(leading, leading.c.id == func.coalesce(group.c.merged_into, group.c.id))
        .where(suggestion.c.poll_id == poll_id, leading.c.state == GroupState.ANSWERED)
        .group_by(leading.c.id, leading.c.title, leading.c.answer)
        .order_by(number.desc(), leading.c.id)
    )
    return [(row.title, row.number, row.answer) for row in (await session.execute(found)).all()]


def _groups() -> Select[Any]:
    merged = select(func.count()).where(_part.c.merged_into == group.c.id).scalar_subquery()
    return select(
        group,
        organisation.c.path,
        organisation.c.name.label("organisation"),
        organisation.c.name_en.label("organisation_en"),
        _size().label("size"),
        merged.label("merged"),
    ).join(organisation, organisation.c.id == group.c.organisation_id)


def _size() -> ColumnElement[int]:
    return select(func.count()).select_from(suggestion).where(_inside()).correlate(group).scalar_subquery()


def _inside() -> ColumnElement[bool]:
    led = select(_part.c.id).where(or_(_part.c.id == group.c.id, _part.c.merged_into == group.c.id))
    return suggestion.c.group_id.in_(led.correlate(group))


def _below(path: str) -> ColumnElement[bool]:
    low, high = subtree_bounds(path)
    return and_(organisation.c.path >= low, organisation.c.path < high)


def _to_group(row: Any) -> Group:
    return Group(
        id=row.id,
        organisation_id=row.organisation_id,
        path=row.path,
        organisation=row.organisation,
        organisation_en=row.organisation_en,
        title=row.title,
        tag=row.tag,
        state=GroupState(row.state),
        size=row.size,
        answer=row.answer,
        answered_at=row.answered_at,
        merged=row.merged,
    )
