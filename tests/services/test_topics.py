"""Topics: what a member chooses holds at once, and choosing twice changes nothing."""

import pytest
from sqlmodel import select

from domain.permissions import Actor
from domain.refusals import NotFound
from services.audit import Audit
from services.topics import Topics
from storage.database import Database
from storage.grants import actor_of_member
from storage.sealing import Sealer
from storage.tables import AuditEntryRow
from storage.topics import subscribe_to_defaults, subscribed
from tests.conftest import HandClock
from tests.factories import make_member, make_organisation, make_topic

pytestmark = pytest.mark.slow_on_postgresql


@pytest.fixture
def topics(database: Database, clock: HandClock) -> Topics:
    audit = Audit(database=database, clock=clock, sealer=Sealer({"test": bytes(32)}, "test"))
    return Topics(database=database, audit=audit)


@pytest.fixture
async def actor(database: Database, clock: HandClock) -> Actor:
    async with database.begin() as session:
        await make_topic(session, "study", position=2, by_default=False)
        await make_topic(session, "policy", position=1)
        member = await make_member(session, home=await make_organisation(session), topics=["policy"])
        found = await actor_of_member(session, member, clock().date())
    assert found is not None
    return found


async def test_topics_come_in_their_order_with_the_choice_made(topics: Topics, actor: Actor):
    choices = await topics.choices(actor)
    assert [(each.topic.code, each.subscribed) for each in choices] == [("policy", True), ("study", False)]
    assert await topics.everything() == [each.topic for each in choices]


async def test_a_choice_is_noted_once(database: Database, topics: Topics, actor: Actor):
    policy, study = await topics.everything()
    for _ in range(2):
        await topics.subscribe(actor, study.id)
        await topics.unsubscribe(actor, policy.id)
    assert [each.subscribed for each in await topics.choices(actor)] == [False, True]
    async with database.read() as session:
        actions = (await session.exec(select(AuditEntryRow.action).order_by(AuditEntryRow.id))).all()
    assert actions == ["topic.subscribed", "topic.unsubscribed"]


async def test_an_unknown_topic_is_not_found(topics: Topics, actor: Actor):
    with pytest.raises(NotFound):
        await topics.subscribe(actor, 404)


async def test_a_new_member_starts_with_the_default_topics(database: Database, topics: Topics, actor: Actor):
    policy, _ = await topics.everything()
    async with database.begin() as session:
        newcomer = await make_member(session, home=actor.home_id)
        await subscribe_to_defaults(session, newcomer)
        assert await subscribed(session, newcomer) == {policy.id}
