"""Suggestions: kept with no more of their author and their time than their author gave."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from storage.tables import metadata

suggestion = metadata.tables["suggestion"]
ID_BITS = 63


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """A suggestion to keep; without a member it is anonymous."""

    organisation_id: int
    poll_id: int | None
    member_id: int | None
    text: str
    day: date


async def add_many(session: AsyncSession, suggestions: Sequence[NewSuggestion]) -> None:
    """Write suggestions under random ids."""
    if not suggestions:
        return
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
    await session.execute(insert(suggestion), sorted(rows, key=lambda row: int(row["id"])))
