"""What a person may do about a dispatch, by how far it has come."""

from dataclasses import dataclass
from enum import StrEnum

from domain.delivery import DispatchState
from domain.refusals import Refusal


class Step(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"  # who has not got it yet gets nothing
    RETRY = "retry"  # those for whom it failed without leaving us
    AGAIN = "again"  # those who perhaps received it: some may get it twice
    LEAVE = "leave"  # those who perhaps received it, at that


ASKED_FIRST = frozenset({Step.CANCEL, Step.AGAIN})
"""What cannot be undone is done at a second press."""


ABOUT_PEOPLE = frozenset({Step.RETRY, Step.AGAIN, Step.LEAVE})
"""What is decided about those who were looked at, and nobody who came to them since."""
_AFTER = {
    Step.PAUSE: frozenset({DispatchState.PAUSED}),
    Step.RESUME: frozenset({DispatchState.RUNNING, DispatchState.DONE}),
    Step.CANCEL: frozenset({DispatchState.CANCELLED}),
}


class DispatchMovedOn(Refusal):
    """It has come further meanwhile, so that this cannot be done any more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a dispatch has come; `timely` while what it says is still worth sending."""

    state: DispatchState
    failed: int
    parked: int
    timely: bool
    may_be_cancelled: bool


def still_so(step: Step, state: DispatchState) -> bool:
    """Say whether what a step has done is so in this state; an address that is kept may tell what was once."""
    return state in _AFTER.get(step, DispatchState)


def steps_of(at: Standing) -> tuple[Step, ...]:
    """Return what can be done now, in the order of the buttons."""
    ended = at.state is DispatchState.CANCELLED
    open_ = at.state in {DispatchState.RUNNING, DispatchState.PAUSED}
    possible = {
        Step.PAUSE: at.state is DispatchState.RUNNING,
        Step.RESUME: at.state is DispatchState.PAUSED,
        Step.RETRY: at.failed and at.state is DispatchState.DONE and at.timely,
        Step.AGAIN: at.parked and not ended and at.timely,
        Step.LEAVE: at.parked and not ended,
        Step.CANCEL: open_ and at.may_be_cancelled,
    }
    return tuple(step for step, can in possible.items() if can)
