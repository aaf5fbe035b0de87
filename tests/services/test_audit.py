"""The audit: entries stand with what they tell of, a seal finds what was changed, a dropped key forgets."""

from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import select

from services.audit import Audit
from storage import audit as stored
from storage.database import Database
from storage.sealing import Sealer
from storage.tables import AuditEntryRow, AuditSealRow, PersonKeyRow
from tests.conftest import HandClock


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"test": bytes(range(32))}, "test")


@pytest.fixture
def audit(database: Database, clock: HandClock, sealer: Sealer) -> Audit:
    return Audit(database=database, clock=clock, sealer=sealer)


async def write(audit: Audit, database: Database, number: int, **more: Any) -> None:
    async with database.begin() as session:
        for one in range(number):
            await audit.note(
                session, actor_id=1, action="notice.sent", subject="notice", subject_id=one, **more
            )


async def test_an_entry_falls_with_the_transaction_it_tells_of(audit: Audit, database: Database):
    async def fail() -> None:
        async with database.begin() as session:
            await audit.note(session, actor_id=1, action="x", subject="notice", subject_id=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with database.read() as session:
        assert (await session.exec(select(AuditEntryRow))).all() == []


async def test_entries_are_sealed_in_batches_once(audit: Audit, database: Database, clock: HandClock):
    await write(audit, database, 7)
    assert await audit.seal(clock(), batch=3) == 7
    assert await audit.seal(clock(), batch=3) == 0
    async with database.read() as session:
        seals = await stored.seals_after(session, 0, 10)
    assert [seal.entries for seal in seals] == [3, 3, 1]
    assert [seal.previous for seal in seals[1:]] == [seal.head for seal in seals[:-1]]
    assert await audit.head() == seals[-1].head
    assert await audit.verify() is None


async def test_an_untouched_chain_grows_and_holds(audit: Audit, database: Database, clock: HandClock):
    for _ in range(3):
        await write(audit, database, 2)
        await audit.seal(clock())
        clock.forward(hours=1)
    assert await audit.verify() is None


TAMPERINGS = {
    "an action is rewritten": update(AuditEntryRow).where(AuditEntryRow.id == 2).values(action="nothing"),
    "an actor is swapped": update(AuditEntryRow).where(AuditEntryRow.id == 2).values(actor_id=9),
    "a first entry is removed": delete(AuditEntryRow).where(AuditEntryRow.id == 1),
    "a middle entry is removed": delete(AuditEntryRow).where(AuditEntryRow.id == 2),
    "an entry is slipped under another seal": update(AuditEntryRow)
    .where(AuditEntryRow.id == 2)
    .values(seal_id=2),
    "a whole batch is removed": delete(AuditEntryRow).where(AuditEntryRow.seal_id == 1),
    "a head is rewritten": update(AuditSealRow).where(AuditSealRow.id == 1).values(head=bytes(32)),
}


@pytest.mark.parametrize("tampering", TAMPERINGS.values(), ids=TAMPERINGS)
async def test_verifying_finds(audit: Audit, database: Database, clock: HandClock, tampering: Any):
    await write(audit, database, 6)
    await audit.seal(clock(), batch=3)
    async with database.begin() as session:
        await session.execute(tampering)
    broken = await audit.verify()
    assert broken is not None
    assert broken.seal_id == 1
    assert broken.what == "entries_changed"


async def test_a_seal_taken_out_of_the_chain_is_found(audit: Audit, database: Database, clock: HandClock):
    await write(audit, database, 6)
    await audit.seal(clock(), batch=3)
    async with database.begin() as session:
        await session.execute(delete(AuditEntryRow).where(AuditEntryRow.seal_id == 1))
        await session.execute(delete(AuditSealRow).where(AuditSealRow.id == 1))
    broken = await audit.verify()
    assert broken is not None
    assert broken.what == "link_changed"


async def test_a_detail_about_a_person_opens_with_their_key_only(
    audit: Audit, database: Database, sealer: Sealer, clock: HandClock
):
    await write(audit, database, 2, detail={"form": "纸质"}, person_id=7)
    await audit.seal(clock())
    async with database.begin() as session:
        row = (await session.exec(select(AuditEntryRow))).first()
        sealed = row.detail_sealed
        assert "纸质".encode() not in sealed
        assert await stored.detail_of(session, sealer, sealed, 7) == {"form": "纸质"}
        await session.execute(delete(PersonKeyRow))
        assert await stored.detail_of(session, sealer, sealed, 7) is None
    assert await audit.verify() is None


async def test_a_detail_about_no_person_is_sealed_as_well(audit: Audit, database: Database, sealer: Sealer):
    await write(audit, database, 1, detail={"rows": 3})
    async with database.read() as session:
        row = (await session.exec(select(AuditEntryRow))).one()
        assert await stored.detail_of(session, sealer, row.detail_sealed) == {"rows": 3}
