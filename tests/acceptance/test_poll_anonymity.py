"""Sixty people vote and suggest through the real bridge; an attacker with everything it keeps learns of none how.

They hold every table (as it lies, and on PostgreSQL with `xmin`), the log at its most talkative, all exports, and a
backup with the chat server's own file, its raw bytes too. To show that they would see a leak, leaks are planted.
"""

import random
import re
import tarfile
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import pytest

from storage.database import Database
from tests import poll_evidence
from tests.acceptance.poll_house import VOTERS, House, Voter, a_poll, count, electorate, suggesting
from tests.poll_attacker import Attack, Finding
from tests.poll_evidence import Record
from tests.poll_leaks import LEAKS, ONLY_POSTGRESQL, Scene, suggestions_in_the_order_of_writing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
MARKS = re.compile(r"pv:\d+:\d+:(sure|cast)")
"""What the buttons carry while an anonymous vote is being confirmed."""


async def rows_of(database: Database, house: House) -> list[Record]:
    """Return every row of every table."""
    if database.dialect == "sqlite":
        return list(poll_evidence.of_sqlite(Path(database.url.database or ""), "db"))
    connection = await asyncpg.connect(
        user="postgres", database=database.url.database, host=database.url.query["host"]
    )
    try:
        return await poll_evidence.of_postgres(connection, "db")
    finally:
        await connection.close()


def kept_apart(house: House) -> list[Record]:
    """Return what the log, the exports and the dump in the backup tell."""
    found = list(poll_evidence.of_log(house.log.read_text()))
    for path in house.folder.glob("*.csv"):
        found += poll_evidence.of_table(path, f"export:{path.stem}")
    return found + list(poll_evidence.of_dump(unpacked(house) / "bridge.jsonl", "backup"))


def chats_of(house: House) -> list[Record]:
    """Return what the chat server's file in the backup tells, and what its bytes tell."""
    file = unpacked(house) / "webchat.db"
    return [*poll_evidence.of_sqlite(file, "webchat"), *poll_evidence.of_bytes(file, "webchat bytes")]


def unpacked(house: House) -> Path:
    folder = house.folder / "unpacked"
    if not folder.exists():
        with tarfile.open(house.folder / "backup.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder


def attack(voters: list[Voter], records: Iterable[Record], truth: str = "early") -> list[Finding]:
    known = [each.known for each in voters]
    return Attack(
        known, {each.member_id: getattr(each, truth) for each in voters}, list(records), MARKS
    ).run()


async def test_nobody_learns_how_a_person_voted(database, database_url, tmp_path, subtests):
    voters = electorate(random.Random(1))
    house = House(database_url, tmp_path)
    poll = await a_poll(house, database, voters)
    rows, apart, chats = await rows_of(database, house), kept_apart(house), chats_of(house)
    assert await count(database, "participation") == await count(database, "suggestion") == VOTERS
    assert await count(database, "sealed_vote") == await count(database, "sealed_suggestion") == 0
    assert attack(voters, [*rows, *apart, *chats]) == []
    assert attack(voters, [*rows, *apart], "ramp") == []

    file = unpacked(house) / "webchat.db"
    scene = Scene(database, voters, suggesting(voters), poll.id, file, tmp_path)
    for leak, how in LEAKS.items():
        if database.dialect == "sqlite" and leak in ONLY_POSTGRESQL:
            continue
        with subtests.test(leak=leak.__name__):
            async with leak(scene) as more:
                found = attack(voters, [*await rows_of(database, house), *more])
            assert how in {each.how for each in found}
    with subtests.test(leak="suggestions"):
        async with suggestions_in_the_order_of_writing(scene):
            found = attack(voters, await rows_of(database, house), "ramp")
        assert "by order" in {each.how for each in found}
