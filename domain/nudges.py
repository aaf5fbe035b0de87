"""Rules of a nudge: who has not confirmed a notice is reminded once, by a person or by itself (DOMAIN.md 3.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.clock import day_of
from domain.notices import Notice, NoticeState
from domain.permissions import Action, Actor
from domain.refusals import NotFound, Refusal

SOURCE = "nudge"
AFTER_DAYS = (1, 2, 3, 7)
"""Days after sending at which a notice may nudge by itself."""
USEFUL = timedelta(days=7)
EVERYBODY = "all"


class NudgeNotPossible(Refusal):
    """Only a notice that has gone out, and is to be confirmed, can remind anybody."""


class AlreadyNudged(Refusal):
    """Nobody is left who has not confirmed and was not reminded before."""


@dataclass(frozen=True, slots=True)
class Circle:
    """Whom one may nudge: everybody (no `homes`), or those at home in these organisations."""

    homes: tuple[int, ...] = ()

    @property
    def scopes(self) -> tuple[str, ...]:
        """Name what is used up by a nudge."""
        return tuple(f"home:{home}" for home in self.homes) or (EVERYBODY,)


def circle_of(notice: Notice, actor: Actor, homes: Iterable[int], now: datetime) -> Circle:
    """Return whom the actor may nudge: the author everybody, a secretary the own; refuses anybody else."""
    if notice.sender.author_id == actor.member_id and actor.may(
        Action.SEND_NOTICE, notice.sender.path, day_of(now)
    ):
        return Circle()
    own = tuple(sorted(homes))
    if not own:
        raise NotFound
    return Circle(own)


def check_nudge(notice: Notice) -> None:
    """Refuse what is not out yet, was cancelled, or asks for no confirmation."""
    if not notice.needs_confirmation or notice.state not in {NoticeState.SENDING, NoticeState.SENT}:
        raise NudgeNotPossible


def check_after(days: int | None) -> None:
    """Refuse a number of days that is not offered."""
    if days is not None and days not in AFTER_DAYS:
        raise NotFound


def too_late(sent_at: datetime, days: int, now: datetime) -> bool:
    """Say whether a nudge by itself comes so late, after an outage, that it is left out."""
    return now > sent_at + timedelta(days=days) + USEFUL
