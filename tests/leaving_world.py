"""Somebody leaves: the person with traces everywhere, what forgets them, and what is left in the tables."""

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from domain.forgetting import minute_of
from domain.permissions import Actor
from services.forgetting import Forgetting
from storage import backup
from tests.factories import T
from tests.poll_world import Hall


async def actor(town: Hall, number: int) -> Actor:
    found = await town.town.people.actor_of_member(number, town.clock().date())
    assert found is not None
    return found


async def forget(forgetting: Forgetting, town: Hall, number: int) -> None:
    await forgetting.forget(await actor(town, number), number, minute_of(town.clock()))


async def lines(town: Hall, folder: Path) -> str:
    await backup.dump(town.database, folder / "dump")
    return (folder / "dump").read_text()


async def row_of(town: Hall, number: int) -> Any:
    async with town.database.read() as session:
        return (await session.execute(select(T["member"]).where(T["member"].c.id == number))).one()


async def count(town: Hall, table: str, **where: Any) -> int:
    async with town.database.read() as session:
        wanted = [T[table].c[name] == value for name, value in where.items()]
        found = select(func.count()).select_from(T[table]).where(*wanted)
        return int((await session.execute(found)).scalar_one())
