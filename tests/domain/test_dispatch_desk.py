"""What may be done about a dispatch, by how far it has come."""

import pytest

from domain.delivery import DispatchState as State
from domain.dispatch_desk import Standing, Step, steps_of, still_so


def steps(state: State, *, failed=0, parked=0, timely=True, cancel=True) -> set[Step]:
    return set(steps_of(Standing(state, failed, parked, timely=timely, may_be_cancelled=cancel)))


def test_what_runs_is_paused_or_cancelled_and_what_is_paused_goes_on():
    assert steps(State.RUNNING) == {Step.PAUSE, Step.CANCEL}
    assert steps(State.PAUSED) == {Step.RESUME, Step.CANCEL}
    assert steps(State.RUNNING, cancel=False) == {Step.PAUSE}
    assert steps(State.DONE) == steps(State.CANCELLED) == set()


def test_the_failed_are_tried_again_once_all_is_over():
    assert steps(State.RUNNING, failed=3) == steps(State.RUNNING)
    assert steps(State.DONE, failed=3) == {Step.RETRY}
    assert steps(State.DONE, failed=3, timely=False) == set()


@pytest.mark.parametrize("state", [State.RUNNING, State.PAUSED, State.DONE])
def test_doubts_are_settled_at_any_time_and_sent_again_while_it_is_worth_it(state):
    assert steps(state, parked=2) >= {Step.AGAIN, Step.LEAVE}
    assert steps(state, parked=2, timely=False) & {Step.AGAIN, Step.LEAVE} == {Step.LEAVE}


def test_of_what_was_cancelled_nothing_is_sent_again():
    assert steps(State.CANCELLED, failed=1, parked=1) == set()


def test_what_a_step_did_is_said_as_long_as_it_is_so():
    assert still_so(Step.PAUSE, State.PAUSED)
    assert not still_so(Step.PAUSE, State.RUNNING)
    assert still_so(Step.RESUME, State.DONE)
    assert not still_so(Step.CANCEL, State.DONE)
    assert all(still_so(Step.LEAVE, state) for state in State)
