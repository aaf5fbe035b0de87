"""An import killed before and after each of its commits: everybody comes in once, and nothing of it is left over."""

import asyncio
import signal
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from tests.acceptance.roster_worker import PEOPLE
from tests.factories import T, make_organisation

pytestmark = [pytest.mark.slow, pytest.mark.kill, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 4, 2, tzinfo=UTC)


async def run_worker(url: str, folder: Path, now: datetime, *kill: object) -> int:
    words = [url, str(folder), now.isoformat(), *(str(word) for word in kill)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.acceptance.roster_worker", *words, cwd=ROOT
    )
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("where", ["before", "after"])
async def test_an_import_that_is_killed_again_and_again_comes_in_once(
    database, database_url, tmp_path, where
):
    await make_organisation(database, name="宁波市委员会")
    kills = 0
    for nth in range(1, 40):
        now = START + timedelta(minutes=2 * nth)
        code = await run_worker(database_url, tmp_path, now, where, nth)
        names = await people(database)
        assert names in ({}, dict.fromkeys((f"周{n}" for n in range(PEOPLE)), 1))
        if code == 0:
            break
        assert code == -signal.SIGKILL
        kills += 1
        await forget_people(database)
    assert kills >= 10
    assert await run_worker(database_url, tmp_path, now + timedelta(minutes=2)) == 0
    assert len(await people(database)) == PEOPLE


async def people(database) -> dict[str, int]:
    async with database.read() as session:
        names = Counter((await session.execute(select(T["member"].c.name))).scalars())
        stays = (await session.execute(select(func.count()).select_from(T["membership"]))).scalar_one()
    assert stays == sum(names.values())
    return dict(names)


async def forget_people(database) -> None:
    """Empty the tree again, so that the next process has everything to write."""
    async with database.begin() as session:
        await session.execute(delete(T["membership"]))
        await session.execute(delete(T["member"]))
