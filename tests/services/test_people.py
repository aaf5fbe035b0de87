"""The person behind a chat: rights as of today, in one query, and the language of the chat."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select, update

from domain.accounts import LinkState
from domain.permissions import Role
from services.people import People
from storage.database import Database, Effect, Session, with_each_change
from storage.sealing import Sealer
from storage.tables import AccountLinkRow, MemberRow
from tests.town import TODAY, Town, build


@pytest.fixture
async def town(database: Database) -> Town:
    return await build(database, Sealer({"test": bytes(32)}, "test"))


@pytest.fixture
def people(database: Database) -> People:
    return People(database=database)


async def test_an_actor_comes_with_the_grants_of_that_day(town: Town, people: People):
    await town.link("former", 7)
    yesterday = (await people.looking(town.address(7), TODAY - timedelta(days=1))).actor
    today = (await people.looking(town.address(7), TODAY)).actor
    assert yesterday is not None
    assert [grant.role for grant in yesterday.grants] == [Role.SECRETARY]
    assert yesterday.grants[0].path == town.paths["north"]
    assert today is not None
    assert today.grants == ()
    assert today.home_path == town.paths["north"]


async def test_a_right_that_begins_tomorrow_does_not_hold_today(town: Town, people: People):
    await town.link("worker", 7)
    before = (await people.looking(town.address(7), date(2024, 12, 31))).actor
    assert before is not None
    assert before.grants == ()


@pytest.mark.parametrize(
    ("state", "known"),
    [
        (LinkState.ACTIVE, True),
        (LinkState.BLOCKED, True),
        (LinkState.PENDING, False),
        (LinkState.ENDED, False),
    ],
)
async def test_a_link_counts_only_once_it_is_active(
    town: Town, people: People, state: LinkState, known: bool
):
    await town.link("wang", 7, state)
    assert ((await people.looking(town.address(7), TODAY)).actor is not None) == known


async def test_the_same_number_on_another_messenger_is_a_stranger(town: Town, people: People):
    await town.link("wang", 7)
    assert (await people.looking(town.telegram(7), TODAY)).actor is None


async def test_who_left_is_no_actor(town: Town, people: People):
    await town.link("wang", 7)
    async with town.database.begin() as session:
        await session.execute(
            update(MemberRow).where(MemberRow.id == town.members["wang"]).values(status="left")
        )
    assert (await people.looking(town.address(7), TODAY)).actor is None


async def test_who_writes_costs_one_query_once_the_account_is_known(
    town: Town, people: People, database: Database
):
    await town.link("county_secretary", 7)
    await people.behind(town.address(7), TODAY)
    statements: list[str] = []
    engine = database._reader.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    behind = await people.behind(town.address(7), TODAY)
    assert behind.actor is not None
    assert len([one for one in statements if one.startswith("SELECT")]) == 1


async def test_who_writes_has_not_blocked_us_though_we_missed_their_coming_back(town: Town, people: People):
    await town.link("wang", 7, LinkState.BLOCKED)
    handled: list[str] = []

    async def note(_session: Session, about: Sequence[str]) -> None:
        handled.extend(about)

    token = with_each_change.set(Effect(note, "took effect"))
    behind = await people.behind(town.address(7), TODAY)
    with_each_change.reset(token)
    assert behind.actor is not None
    async with town.database.read() as session:
        states = (await session.execute(select(AccountLinkRow.state))).scalars().all()
    assert states == ["active"]
    assert handled == []


async def test_a_stranger_is_spoken_to_in_chinese_until_they_choose(town: Town, people: People):
    assert await people.language_of(town.address(7)) == "zh_CN"
    await people.set_language(town.address(7), "en")
    await people.set_language(town.address(7), "en")
    assert await people.language_of(town.address(7)) == "en"


async def test_a_linked_chat_speaks_its_members_language_and_a_choice_holds_for_both(
    town: Town, people: People
):
    async with town.database.begin() as session:
        await session.execute(
            update(MemberRow).where(MemberRow.id == town.members["wang"]).values(language="en")
        )
    await town.link("wang", 7)
    actor = (await people.looking(town.address(7), TODAY)).actor
    assert actor is not None
    assert actor.language == await people.language_of(town.address(7)) == "en"
    await people.set_language(town.address(7), "zh_CN")
    assert (await town.actor("wang")).language == "zh_CN"
