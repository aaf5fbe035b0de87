"""Rules of a notice: its states, limits, times and numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.audiences import Audience, Scope
from domain.messages import Media
from domain.notices import (
    CAPTION_LIMIT,
    EARLIEST,
    FOLLOWING,
    LATEST,
    RESERVED,
    TEXT_LIMIT,
    TYPED_ABOVE,
    NoticeEmpty,
    NoticeForNobody,
    NoticeFromTwoPlaces,
    NoticeMovedOn,
    NoticeState,
    NoticeTextTooLong,
    NumberMustBeTyped,
    ScheduledTooLate,
    ScheduledTooSoon,
    check_content,
    check_number,
    check_step,
    check_time,
    covering,
    topic_of,
)
from domain.richtext import RichText

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
PHOTO = Media("photo", "photo.jpg", "0" * 64)


@pytest.mark.parametrize(("media", "limit"), [(None, TEXT_LIMIT), (PHOTO, CAPTION_LIMIT)])
def test_a_text_leaves_room_for_the_longest_footer_in_utf16_units(media: Media | None, limit: int):
    footers = ["\n\n—— 市", "\n\n— City"]
    most = limit - RESERVED - len(footers[1])
    check_content(RichText("字" * most), media, footers)
    with pytest.raises(NoticeTextTooLong) as refused:
        check_content(RichText("字" * (most + 1)), media, footers)
    assert refused.value.fields == {"most": most, "over": 1}
    with pytest.raises(NoticeTextTooLong):
        check_content(RichText("😀" * (most // 2 + 1)), media, footers)


def test_a_notice_says_something_or_carries_something():
    with pytest.raises(NoticeEmpty):
        check_content(RichText(), None, [])
    check_content(RichText(), PHOTO, [])


def test_a_time_lies_ahead_and_not_too_far():
    check_time(NOW + EARLIEST, NOW)
    check_time(NOW + LATEST, NOW)
    with pytest.raises(ScheduledTooSoon):
        check_time(NOW + EARLIEST - timedelta(seconds=1), NOW)
    with pytest.raises(ScheduledTooLate):
        check_time(NOW + LATEST + timedelta(seconds=1), NOW)


def test_a_number_is_typed_above_500_and_must_be_right():
    check_number(TYPED_ABOVE, None)
    check_number(TYPED_ABOVE + 1, TYPED_ABOVE + 1)
    for typed in (None, TYPED_ABOVE):
        with pytest.raises(NumberMustBeTyped):
            check_number(TYPED_ABOVE + 1, typed)
    with pytest.raises(NoticeForNobody):
        check_number(0, 0)


@pytest.mark.parametrize("state", NoticeState)
@pytest.mark.parametrize("to", NoticeState)
def test_only_the_steps_that_there_are_can_be_taken(state: NoticeState, to: NoticeState):
    if to in FOLLOWING[state]:
        check_step(state, to)
    else:
        with pytest.raises(NoticeMovedOn):
            check_step(state, to)


def test_nothing_leads_back_from_cancelled_and_nothing_from_sent_to_draft():
    assert FOLLOWING[NoticeState.CANCELLED] == set()
    assert NoticeState.DRAFT not in FOLLOWING[NoticeState.SENT]


def test_a_notice_goes_out_in_the_name_of_the_innermost_place_that_covers_it():
    audience = Audience((Scope(3, "/1/2/3/"), Scope(4, "/1/2/4/")))
    nodes = [(1, "/1/"), (2, "/1/2/"), (3, "/1/2/3/")]
    assert covering(audience, nodes) == 2
    with pytest.raises(NoticeFromTwoPlaces):
        covering(audience, [(3, "/1/2/3/"), (4, "/1/2/4/")])


def test_a_topic_is_that_of_the_whole_audience():
    def scope(number: int, topic: int | None) -> Scope:
        return Scope(number, f"/{number}/", topic_id=topic)

    assert topic_of(Audience((scope(1, 7), scope(2, 7)))) == 7
    assert topic_of(Audience((scope(1, 7), scope(2, None)))) is None
    assert topic_of(Audience((scope(1, None),))) is None
