"""Being forgotten: whose button is believed, and what a line of the ledger says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.forgetting import (
    ASKED_FOR,
    ForgetAskAgain,
    Forgotten,
    check_asked,
    entries_in,
    line_of,
    minute_of,
)

NOW = datetime(2026, 3, 4, 2, 0, 30, tzinfo=UTC)


def test_a_button_is_believed_for_ten_minutes():
    check_asked(7, 7, minute_of(NOW), NOW)
    check_asked(7, 7, minute_of(NOW), NOW + ASKED_FOR)
    with pytest.raises(ForgetAskAgain):
        check_asked(7, 7, minute_of(NOW), NOW + ASKED_FOR + timedelta(minutes=1))


@pytest.mark.parametrize(("own", "asked"), [(7, 8), (7, 0), (0, 7)])
def test_a_button_of_another_record_is_not_believed(own: int, asked: int):
    with pytest.raises(ForgetAskAgain):
        check_asked(own, asked, minute_of(NOW), NOW)


@pytest.mark.parametrize("minute", [0, minute_of(NOW) + 1, 2**59 - 1])
def test_a_button_of_no_time_is_not_believed(minute: int):
    with pytest.raises(ForgetAskAgain):
        check_asked(7, 7, minute, NOW)


@settings(max_examples=30)
@given(
    number=st.integers(min_value=1, max_value=2**63 - 1),
    at=st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is given apart
)
def test_a_line_says_what_it_was_given_and_holds_nothing_else(number: int, at: datetime):
    entry = Forgotten(number, at)
    line = line_of("here", entry)
    assert entries_in([line], "here") == {entry}
    assert entries_in([line], "elsewhere") == frozenset()
    assert "\n" not in line


@settings(max_examples=50)
@given(st.text())
def test_a_line_that_says_something_else_is_none(line: str):
    assert entries_in(
        [line, '{"bridge": "here"}', "[]", "1", '{"bridge": "here", "member": "x", "at": 3}'], "here"
    ) == (frozenset())


def test_a_line_that_was_cut_off_hides_no_other():
    whole = line_of("here", Forgotten(1, NOW))
    for length in range(len(whole)):
        assert entries_in([whole[:length], whole], "here") == {Forgotten(1, NOW)}
