"""Topics: what there is to subscribe to, and what a member has chosen."""

from dataclasses import dataclass

from domain.permissions import Actor
from domain.refusals import NotFound
from domain.topics import Topic
from services.audit import Audit
from storage import topics
from storage.database import Database


@dataclass(frozen=True, slots=True)
class Choice:
    """A topic and whether the member has it."""

    topic: Topic
    subscribed: bool


class Topics:
    """Lists topics, subscribes and unsubscribes; both at once and as often as one likes."""

    def __init__(self, *, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    async def everything(self) -> list[Topic]:
        async with self._database.read() as session:
            return await topics.everything(session)

    async def choices(self, actor: Actor) -> list[Choice]:
        """Return all topics in their order, each with the actor's choice."""
        async with self._database.read() as session:
            mine = await topics.subscribed(session, actor.member_id)
            return [Choice(each, each.id in mine) for each in await topics.everything(session)]

    async def subscribe(self, actor: Actor, topic_id: int) -> Topic:
        return await self._choose(actor, topic_id, wanted=True)

    async def unsubscribe(self, actor: Actor, topic_id: int) -> Topic:
        return await self._choose(actor, topic_id, wanted=False)

    async def _choose(self, actor: Actor, topic_id: int, *, wanted: bool) -> Topic:
        change = topics.subscribe if wanted else topics.unsubscribe
        async with self._database.begin() as session:
            found = await topics.get(session, topic_id)
            if found is None:
                raise NotFound
            if await change(session, actor.member_id, topic_id):
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action="topic.subscribed" if wanted else "topic.unsubscribed",
                    subject="member",
                    subject_id=actor.member_id,
                    detail={"topic": found.code},
                    person_id=actor.member_id,
                )
        return found
