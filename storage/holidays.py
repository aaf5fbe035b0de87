"""Holidays that an operator entered: whole years, read and replaced."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.holidays import Day, DayKind, HolidayName, YearTable
from storage.tables import metadata

holiday_year = metadata.tables["holiday_year"]
holiday_day = metadata.tables["holiday_day"]
meta = metadata.tables["meta"]


async def versions(session: AsyncSession) -> dict[int, str]:
    """Return the entered years with the digest of each."""
    found = await session.execute(select(holiday_year.c.year, holiday_year.c.digest))
    return {row.year: row.digest for row in found}


async def read_all(session: AsyncSession) -> list[YearTable]:
    days: dict[int, dict[Any, Day]] = {year: {} for year in await versions(session)}
    for row in await session.execute(select(holiday_day).order_by(holiday_day.c.day)):
        days[row.year][row.day] = Day(DayKind(row.kind), HolidayName(row.name, row.name_en))
    return [YearTable(year, found) for year, found in days.items()]


async def write(session: AsyncSession, table: YearTable, now: datetime) -> bool:
    """Put a year's table in the place of an older one; `False` if it is the same."""
    digest = _digest(table)
    if (await versions(session)).get(table.year) == digest:
        return False
    upsert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    put = upsert(holiday_year).values(year=table.year, digest=digest, entered_at=now)
    again = {"digest": digest, "entered_at": now}
    await session.execute(put.on_conflict_do_update(index_elements=["year"], set_=again))
    await session.execute(delete(holiday_day).where(holiday_day.c.year == table.year))
    if table.days:
        await session.execute(insert(holiday_day), _rows(table))
    return True


async def remove(session: AsyncSession, year: int) -> bool:
    """Take an entered year out again; `False` if there is none."""
    await session.execute(delete(holiday_day).where(holiday_day.c.year == year))
    gone = delete(holiday_year).where(holiday_year.c.year == year).returning(holiday_year.c.year)
    return (await session.execute(gone)).first() is not None


async def mark_told(session: AsyncSession, year: int) -> bool:
    """Note that it was told that a year is missing; `False` if it was before."""
    upsert: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    put = upsert(meta).values(name=f"holidays_missing:{year}", value="told")
    return (await session.execute(put.on_conflict_do_nothing().returning(meta.c.name))).first() is not None


def _rows(table: YearTable) -> list[dict[str, Any]]:
    return [
        {"year": table.year, "day": day, "kind": what.kind, "name": what.name.zh, "name_en": what.name.en}
        for day, what in sorted(table.days.items())
    ]


def _digest(table: YearTable) -> str:
    text = json.dumps(_rows(table), default=str, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
