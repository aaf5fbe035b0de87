"""Rosters of a town: every service real, but files are read in this process."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from domain.roster import RosterKind
from services import roster_reader
from services.audit import Audit
from services.roster import Roster
from services.sheets import SheetForm, sheet_bytes
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import metadata

T = metadata.tables
MEMBERS = ("姓名", "手机", "所在党组织", "正式/预备", "入党日期", "编号")
ORGANISATIONS = ("党组织名称", "上级党组织", "类别", "层级", "统筹模式", "编号")


def now() -> datetime:
    return datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


class InlineReader:
    """Answers as the child does, without a child."""

    async def look(self, data: bytes, sheet: str = "", kind: RosterKind | None = None) -> Any:
        return roster_reader.roster_files.look(data, sheet, kind)

    async def lines(self, data: bytes, seen: Any, plan: Any, today: Any) -> Any:
        found = list(roster_reader.roster_files.lines(data, seen, plan, today))
        for start in range(0, len(found), 3):
            yield found[start : start + 3]

    async def pick(self, data: bytes, seen: Any, lines: Any) -> dict[int, list[str]]:
        return dict(roster_reader.roster_files.pick(data, seen, set(lines)))


def build(database: Database, clock: Any, sealer: Sealer, folder: Path) -> Roster:
    return Roster(
        database=database,
        clock=clock,
        audit=Audit(database=database, clock=clock, sealer=sealer),
        sealer=sealer,
        reader=InlineReader(),
        folder=folder,
    )


def members(*rows: tuple[Any, ...], form: SheetForm = SheetForm.CSV) -> bytes:
    return sheet_bytes([MEMBERS, *rows], form)


def organisations(*rows: tuple[Any, ...], form: SheetForm = SheetForm.CSV) -> bytes:
    return sheet_bytes([ORGANISATIONS, *rows], form)


async def rows_of(database: Database, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of all rows, in order of the first."""
    found = T[table]
    async with database.read() as session:
        return [
            tuple(each)
            for each in await session.execute(
                select(*(found.c[name] for name in columns)).order_by(found.c.id)
            )
        ]
