"""What becomes of a delivery after each outcome, and the last look before sending."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import (
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    Busy,
    DeliveryState,
    Gathered,
    Held,
    Moved,
    NotSent,
    Outcome,
    Recipient,
    Rejected,
    Sent,
    Skipped,
    Unknown,
    UnknownPolicy,
    Unreachable,
    decide,
    look_again,
)

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
WELL = Recipient("active", stopped=False, active=True, subscribed=True, held=None, capped_until=None)

reasons = st.text(max_size=5)
outcomes = st.one_of(
    st.builds(Sent, st.integers(1, 99)),
    st.builds(Busy, st.datetimes(timezones=st.just(UTC))),
    st.builds(NotSent, reasons, st.booleans()),
    st.builds(Unreachable, reasons),
    st.builds(Moved, st.integers()),
    st.builds(Rejected, reasons),
    st.builds(Skipped, reasons),
    st.builds(Unknown, reasons),
)


@given(outcomes, st.integers(1, 30), st.sampled_from(UnknownPolicy))
def test_a_delivery_waits_again_only_with_a_time_and_never_stays_in_sending(
    outcome: Outcome, attempt: int, policy: UnknownPolicy
):
    verdict = decide(outcome, attempt=attempt, policy=policy, now=NOW)
    assert verdict.state is not DeliveryState.SENDING
    assert (verdict.state is DeliveryState.WAITING) == (verdict.retry_at is not None)
    assert (verdict.state is DeliveryState.SENT) == isinstance(outcome, Sent)


@given(outcomes, st.integers(1, 30))
def test_under_park_what_was_perhaps_sent_is_never_sent_again(outcome: Outcome, attempt: int):
    verdict = decide(outcome, attempt=attempt, policy=UnknownPolicy.PARK, now=NOW)
    if verdict.state is DeliveryState.WAITING:
        assert isinstance(outcome, Busy | NotSent | Moved)


@given(st.integers(1, MOST_ATTEMPTS - 1))
def test_the_next_try_waits_longer_each_time_and_never_too_long(attempt: int):
    waits = [
        decide(NotSent("x"), attempt=n, policy=UnknownPolicy.PARK, now=NOW).retry_at - NOW
        for n in range(1, attempt + 1)
    ]
    assert waits == sorted(waits)
    assert waits[-1] <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (NotSent("refused"), DeliveryState.FAILED),
        (NotSent("unauthorized", account_dead=True), DeliveryState.WAITING),
        (Moved(5), DeliveryState.REJECTED),
        (Unknown("reset"), DeliveryState.UNKNOWN),
    ],
)
def test_tries_end_but_for_those_of_a_dead_account(outcome: Outcome, state: DeliveryState):
    verdict = decide(outcome, attempt=MOST_ATTEMPTS, policy=UnknownPolicy.RESEND, now=NOW)
    assert verdict.state is state


def test_a_busy_server_is_tried_when_it_says_so():
    until = NOW + timedelta(seconds=9)
    verdict = decide(Busy(until), attempt=99, policy=UnknownPolicy.PARK, now=NOW)
    assert (verdict.state, verdict.retry_at) == (DeliveryState.WAITING, until)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("stopped", True, "stopped"),
        ("active", False, "left"),
        ("subscribed", False, "unsubscribed"),
        ("link_state", "blocked", "blocked"),
        ("link_state", "pending", "no_account"),
        ("link_state", None, "no_account"),
        ("settled", True, "confirmed"),
    ],
)
def test_who_must_not_get_it_is_skipped_even_where_it_would_be_held(field: str, value: object, reason: str):
    fields = {name: getattr(WELL, name) for name in WELL.__slots__} | {
        field: value,
        "held": Held(NOW, "quiet_hours"),
    }
    assert look_again(Recipient(**fields), useful_until=None, now=NOW) == Skipped(reason)


def test_a_hold_says_why_and_until_when():
    later = NOW + timedelta(hours=1)
    quiet = Recipient("active", False, True, True, Held(later, "quiet_hours"), None)
    capped = Recipient("active", False, True, True, None, later)
    assert look_again(quiet, useful_until=None, now=NOW) == Held(later, "quiet_hours")
    assert look_again(capped, useful_until=NOW, now=NOW) == Gathered(later)


def test_who_may_get_it_is_sent_to_while_it_is_of_use():
    assert look_again(WELL, useful_until=NOW, now=NOW) is None
    late = look_again(WELL, useful_until=NOW - timedelta(seconds=1), now=NOW)
    assert late == Skipped("too_late")
