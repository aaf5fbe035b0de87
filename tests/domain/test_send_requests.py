"""Requests to send: what they ask for is named whole, and each way waits as long as it makes sense."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.delivery import Lane, UnknownPolicy, policy_of
from domain.push_budget import counts
from domain.richtext import RichText
from domain.send_requests import LANES, RequestState, SendRequest, Way, fingerprint
from tests.domain.drafts import NOTICE, PICTURE


@pytest.mark.parametrize(
    "change",
    [
        {"content": RichText("请参加会议")},
        {"content": RichText("请参加学习", ({"type": "text_link", "offset": 0, "length": 1, "url": "x"},))},
        {"media": PICTURE},
        {"media": PICTURE, "more": (PICTURE,)},
        {"audience_id": 2},
        {"needs_confirmation": True},
    ],
)
def test_whatever_is_changed_is_not_what_was_agreed_to(change):
    assert fingerprint(replace(NOTICE, **change)) != fingerprint(NOTICE)
    assert fingerprint(replace(NOTICE, scheduled_at=NOTICE.created_at)) == fingerprint(NOTICE)


def asked(way: Way, stars: int = 0) -> SendRequest:
    return SendRequest(
        id=1,
        way=way,
        notice=NOTICE,
        digest=fingerprint(NOTICE),
        messages=10,
        stars=stars,
        state=RequestState.ASKED,
        asked_by=1,
        asker="李书记",
        asked_at=NOTICE.created_at,
    )


def test_what_is_urgent_waits_two_hours_and_what_is_paid_a_day():
    waits = [asked(way).expires_at - NOTICE.created_at for way in (Way.URGENT, Way.PAID)]
    assert waits == [timedelta(hours=2), timedelta(hours=24)]


def test_a_request_is_for_one_way_one_content_and_no_more_than_its_price():
    mine = asked(Way.PAID, stars=5)
    assert mine.is_for(Way.PAID, NOTICE, 5)
    assert not mine.is_for(Way.PAID, NOTICE, 4)
    assert not mine.is_for(Way.URGENT, NOTICE, 5)
    assert not mine.is_for(Way.PAID, replace(NOTICE, content=RichText("别的")), 5)


def test_only_what_is_urgent_takes_the_urgent_lane_comes_twice_rather_than_not_at_all_and_is_not_counted():
    assert LANES == {Way.PAID: Lane.NORMAL, Way.URGENT: Lane.URGENT}
    assert policy_of(Lane.URGENT) is UnknownPolicy.RESEND
    assert policy_of(Lane.NORMAL) is UnknownPolicy.PARK
    assert [counts("notice", lane) for lane in (Lane.NORMAL, Lane.URGENT)] == [True, False]
    assert not counts("suggestion_answer", Lane.NORMAL)
