"""The price of sending quickly: a tenth of a Star a message, rounded up, of what goes by accounts that may pay."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.paid import messages_each, offer_of, rose, stars
from tests.domain.drafts import NOTICE, PICTURE


@pytest.mark.parametrize(
    ("messages", "price"), [(0, 0), (1, 1), (10, 1), (11, 2), (100_000, 10_000), (100_001, 10_001)]
)
def test_ten_messages_cost_a_star_and_what_is_begun_is_paid(messages, price):
    assert stars(messages) == price


@settings(max_examples=50)
@given(
    st.dictionaries(st.integers(1, 5), st.integers(0, 10**6)), st.sets(st.integers(1, 5)), st.integers(1, 12)
)
def test_only_what_goes_by_an_account_that_may_pay_is_priced(recipients, may_pay, each):
    offer = offer_of(recipients, each, free={}, paid=dict.fromkeys(may_pay, 500.0))
    assert offer.messages == each * sum(n for number, n in recipients.items() if number in may_pay)
    assert offer.messages <= 10 * offer.stars < offer.messages + 10
    assert offer.paid <= offer.free
    assert offer.worth_it <= bool(offer.messages)


def test_the_slowest_account_says_how_long_it_takes_and_whether_it_is_worth_a_price():
    free = {1: 25.0, 2: 25.0}
    offer = offer_of({1: 100_000, 2: 5_000}, 1, free=free, paid={1: 500.0})
    assert (offer.messages, offer.stars) == (100_000, 10_000)
    assert (offer.free, offer.paid) == (timedelta(seconds=4000), timedelta(seconds=200))
    assert offer.worth_it
    assert not offer_of({1: 1500}, 1, free=free, paid={1: 500.0}).worth_it
    assert offer_of({1: 1501}, 1, free=free, paid={1: 500.0}).worth_it
    assert not offer_of({1: 10, 2: 100_000}, 1, free=free, paid={1: 500.0}).worth_it
    assert not offer_of({}, 1, free=free, paid={1: 500.0}).worth_it


def test_an_album_is_as_many_messages_as_it_has_files_and_one_for_its_words():
    assert messages_each(NOTICE) == 1
    assert messages_each(replace(NOTICE, media=PICTURE)) == 1
    assert messages_each(replace(NOTICE, media=PICTURE, more=(PICTURE, PICTURE))) == 4


def test_a_tenth_more_is_no_new_price():
    assert [rose(100, now) for now in (90, 100, 110, 111)] == [False, False, False, True]
    assert rose(1, 2)
