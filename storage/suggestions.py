"""Suggestions: kept with no more of their author and their time than their author gave, and handled in groups."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import metadata

member = metadata.tables["member"]
organisation = metadata.tables["organisation"]
suggestion = metadata.tables["suggestion"]
group = metadata.tables["suggestion_group"]

SOURCE = "suggestion_answer"
ID_BITS = 58
"""Random ids, short enough for the data of a button."""
_part = group.alias("part")


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """A suggestion to keep, addressed to an organisation; without a member it is anonymous."""

    organisation_id: int
    poll_id: int | None
    member_id: int | None
    text: str
    day: date


@dataclass(frozen=True, slots=True)
class Own:
    """One's own suggestion, and what was answered."""

    id: int
    text: str
    day: date
    organisation: str
    organisation_en: str
    answer: str


async def add_many(session: AsyncSession, suggestions: Sequence[NewSuggestion]) -> list[int]:
    """Write suggestions under random ids, in the order of these, and return them."""
    if not suggestions:
        return []
    rows = [
        {
            "id": secrets.randbits(ID_BITS),
            "organisation_id": each.organisation_id,
            "poll_id": each.poll_id,
            "member_id": each.member_id,
            "text": each.text,
            "day": each.day,
        }
        for each in suggestions
    ]
    rows.sort(key=lambda row: row["id"])  # type: ignore[arg-type, return-value]
    await session.execute(insert(suggestion), rows)
    return [int(str(row["id"])) for row in rows]


async def same(session: AsyncSession, new: NewSuggestion) -> int | None:
    """Return the member's suggestion of just this text on that day."""
    found = select(suggestion.c.id).where(
        suggestion.c.member_id == new.member_id,
        suggestion.c.day == new.day,
        suggestion.c.text == new.text,
        suggestion.c.organisation_id == new.organisation_id,
    )
    return (await session.execute(found.limit(1))).scalar()


async def count_on(session: AsyncSession, member_id: int, day: date) -> int:
    """Count what a member suggested on a day, beside polls."""
    counted = select(func.count()).where(
        suggestion.c.member_id == member_id, suggestion.c.day == day, suggestion.c.poll_id.is_(None)
    )
    return int((await session.execute(counted)).scalar_one())


async def own(session: AsyncSession, member_id: int, *, offset: int, limit: int) -> list[Own]:
    """Return what a member suggested by name, the latest first, with the answers."""
    leading = group.alias("leading")
    found = (
        select(
            suggestion.c.id,
            suggestion.c.text,
            suggestion.c.day,
            organisation.c.name,
            organisation.c.name_en,
            leading.c.answer,
        )
        .join(organisation, organisation.c.id == suggestion.c.organisation_id)
        .outerjoin(_part, _part.c.id == suggestion.c.group_id)
        .outerjoin(leading, leading.c.id == func.coalesce(_part.c.merged_into, _part.c.id))
        .where(suggestion.c.member_id == member_id)
        .order_by(suggestion.c.day.desc(), suggestion.c.id)
        .offset(offset)
        .limit(limit)
    )
    rows = (await session.execute(found)).all()
    return [Own(row.id, row.text, row.day, row.name, row.name_en, row.answer or "") for row in rows]
