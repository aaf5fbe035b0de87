"""In whose name something goes out: the innermost organisation of the author's grants that covers its audience."""

from datetime import datetime

from domain.audiences import Audience
from domain.clock import day_of
from domain.notices import Sender, covering
from domain.permissions import Action, Actor
from locales import Words
from storage import audiences, organisations
from storage.database import Session


def author_of(words: Words, name: str) -> str:
    """Name a person who acted for an organisation; who was forgotten since has no name."""
    return name or words("forgetting.former")


async def sender_of(session: Session, actor: Actor, organisation_id: int) -> Sender:
    """Return an organisation as a sender, with this actor as the author."""
    node = (await organisations.of_ids(session, [organisation_id]))[organisation_id]
    return Sender(
        organisation_id=node.id,
        path=node.path,
        name=node.name,
        name_en=node.name_en,
        zone=node.zone,
        author_id=actor.member_id,
        author=actor.name,
    )


async def outermost(session: Session, actor: Actor, now: datetime) -> Sender:
    """Return the outermost place from which the actor may send: where a draft begins."""
    return await sender_of(session, actor, actor.nodes(Action.SEND_NOTICE, day_of(now))[0].organisation_id)


async def covering_sender(session: Session, actor: Actor, audience_id: int, now: datetime) -> int:
    """Return the organisation in whose name a stored audience is told; refuses one from two places."""
    on = day_of(now)
    held = [grant for grant in actor.grants if grant.holds(Action.SEND_NOTICE, grant.path, on)]
    meant: Audience = await audiences.load(session, audience_id)
    return covering(meant, [(grant.organisation_id, grant.path) for grant in held])
