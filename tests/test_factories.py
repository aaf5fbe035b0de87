"""The factories: what they insert hangs together."""

from sqlalchemy import select

from storage.database import Database
from storage.tables import metadata
from tests.factories import make_grant, make_link, make_member, make_organisation, make_topic

T = metadata.tables


async def test_a_child_lies_below_its_parent(database: Database):
    city = await make_organisation(database)
    branch = await make_organisation(database, parent=city)
    async with database.read() as session:
        paths = (
            await session.execute(select(T["organisation"].c.path).order_by(T["organisation"].c.id))
        ).scalars()
        assert list(paths) == [f"/{city}/", f"/{city}/{branch}/"]


async def test_a_member_has_home_chat_topic_and_role(database: Database):
    async with database.begin() as session:
        city = await make_organisation(session)
        await make_topic(session, "policy")
        member = await make_member(session, home=city, chat_id=7, topics=["policy"], hosts=[city])
        await make_grant(session, member=member, organisation=city)
        await make_link(session, member=member, chat_id=8, state="blocked")
    async with database.read() as session:
        counts = [
            len((await session.execute(select(T[name]))).all())
            for name in ("membership", "subscription", "role_grant", "account_link", "account")
        ]
    assert counts == [2, 1, 1, 2, 1]
