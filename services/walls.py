"""The walls between subtrees, as services check them: where an actor may act, and that here is one of the places."""

from datetime import datetime

from domain.clock import day_of
from domain.permissions import Action, Actor
from domain.refusals import NotAllowed, NotFound

PAGE = 8
"""So many lines on one screen of a phone."""


def paths_of(actor: Actor, action: Action, now: datetime) -> tuple[str, ...]:
    """Return the subtrees in which the actor may do this; refuses who may nowhere."""
    paths = tuple(grant.path for grant in actor.nodes(action, day_of(now)))
    if not paths:
        raise NotAllowed
    return paths


def require(actor: Actor, action: Action, path: str, now: datetime) -> None:
    """Refuse unless the actor may do this here; beyond the wall nothing exists."""
    paths_of(actor, action, now)
    if not actor.may(action, path, day_of(now)):
        raise NotFound
