"""What a poll takes and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.notices import Sender
from domain.polls import (
    ClosesTooLate,
    ClosesTooSoon,
    LiveNeedsNames,
    NoClosingTime,
    NoSuchOption,
    NothingChosen,
    OneOnly,
    OptionTooLong,
    OptionTwice,
    Poll,
    PollClosed,
    PollForNobody,
    PollNeedsOptions,
    PollNeedsQuestion,
    PollNotOpenYet,
    PollState,
    PollSuggestionTooLong,
    PollTextTooLong,
    SuggestionEmpty,
    check_change,
    check_choice,
    check_open,
    check_options,
    check_question,
    check_ready,
    check_suggestion,
    chosen_in,
    mask_of,
    options_of,
)

NOW = datetime(2026, 3, 4, 2, tzinfo=UTC)
POLL = Poll(
    id=1,
    sender=Sender(1, "/1/", "市委", "", "Asia/Shanghai", 1, "王芳"),
    state=PollState.OPEN,
    question="食堂几点开门？",
    options=options_of(["七点", "八点", "九点"]),
    multiple=False,
    suggestions=True,
    anonymous=True,
    live=False,
    audience_id=1,
    created_at=NOW,
    closes_at=NOW + timedelta(days=3),
)


def test_options_lose_odd_spaces_and_empty_lines():
    assert check_options([" 七点 ", "", "八\u3000点"]) == ("七点", "八 点")


@pytest.mark.parametrize(
    ("texts", "refusal"),
    [
        (["一"], PollNeedsOptions),
        ([str(n) for n in range(11)], PollNeedsOptions),
        (["Yes", "yes "], OptionTwice),
        (["一", "长" * 61], OptionTooLong),
    ],
)
def test_options_that_cannot_be_told_apart_or_shown_are_refused(texts, refusal):
    with pytest.raises(refusal):
        check_options(texts)


def test_a_question_says_something_and_fits():
    assert check_question(" 食堂\n几点？ ") == "食堂 几点？"
    with pytest.raises(PollNeedsQuestion):
        check_question(" \n ")
    with pytest.raises(PollTextTooLong) as refused:
        check_question("问" * 203)
    assert refused.value.fields["over"] == 3


def test_what_changed_is_said_before_a_result_is_told():
    with pytest.raises(PollNeedsQuestion):
        check_change("  ")
    with pytest.raises(PollTextTooLong):
        check_change("改" * 1001)


def test_a_suggestion_says_something_and_fits():
    assert check_suggestion(" 多一点\n蔬菜 ") == "多一点\n蔬菜"
    with pytest.raises(SuggestionEmpty):
        check_suggestion(" ")
    with pytest.raises(PollSuggestionTooLong):
        check_suggestion("菜" * 501)


def test_a_single_choice_takes_one_option_of_the_poll():
    assert check_choice(POLL, [2]) == {2}
    for chosen, refusal in (([], NothingChosen), ([0, 1], OneOnly), ([3], NoSuchOption)):
        with pytest.raises(refusal):
            check_choice(POLL, chosen)


def test_several_options_are_taken_where_the_poll_says_so():
    assert check_choice(replace(POLL, multiple=True), [0, 2]) == {0, 2}


def test_a_forged_mask_names_options_that_do_not_exist():
    assert chosen_in(mask_of([0, 2])) == {0, 2}
    assert chosen_in(-1) == frozenset()
    with pytest.raises(NoSuchOption):
        check_choice(replace(POLL, multiple=True), chosen_in(2**40 + 1))


def test_the_announced_minute_closes_a_poll_though_the_clock_is_late():
    check_open(POLL, NOW + timedelta(days=3, seconds=-1))
    with pytest.raises(PollClosed):
        check_open(POLL, NOW + timedelta(days=3))


@pytest.mark.parametrize(
    "state", [PollState.CLOSING, PollState.CLOSED, PollState.PUBLISHED, PollState.CANCELLED]
)
def test_a_poll_that_is_over_takes_nothing(state):
    with pytest.raises(PollClosed):
        check_open(replace(POLL, state=state), NOW)


@pytest.mark.parametrize("state", [PollState.DRAFT, PollState.SCHEDULED])
def test_a_poll_that_has_not_opened_takes_nothing(state):
    with pytest.raises(PollNotOpenYet):
        check_open(replace(POLL, state=state), NOW)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"options": ()}, PollNeedsOptions),
        ({"live": True}, LiveNeedsNames),
        ({"closes_at": None}, NoClosingTime),
        ({"closes_at": NOW + timedelta(minutes=9)}, ClosesTooSoon),
        ({"closes_at": NOW + timedelta(days=61)}, ClosesTooLate),
        ({"opens_at": NOW + timedelta(days=3)}, ClosesTooSoon),
        ({"audience_id": None}, PollForNobody),
    ],
)
def test_a_poll_that_lacks_something_does_not_open(change, refusal):
    check_ready(POLL, NOW)
    with pytest.raises(refusal):
        check_ready(replace(POLL, **change), NOW)
