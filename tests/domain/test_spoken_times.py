"""Times as people type them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.spoken_times import offered, read

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)  # Wednesday, 10:00 in Shanghai


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("明天9点", "2026-03-05 09:00"),
        ("明天 9:30", "2026-03-05 09:30"),
        ("明天下午三点半", "2026-03-05 15:30"),
        ("后天14:05", "2026-03-06 14:05"),
        ("大后天上午十点", "2026-03-07 10:00"),
        ("今晚7点", "2026-03-04 19:00"),
        ("今天下午4点20分", "2026-03-04 16:20"),
        ("3月5日 14:30", "2026-03-05 14:30"),
        ("3月5号下午2点", "2026-03-05 14:00"),
        ("1月2日 9点", "2027-01-02 09:00"),
        ("2026-03-05 09:00", "2026-03-05 09:00"),
        ("2026年3月5日9时", "2026-03-05 09:00"),
        ("2026/3/5 9:00", "2026-03-05 09:00"),
        ("3-5 9:00", "2026-03-05 09:00"),
        ("周五9点", "2026-03-06 09:00"),
        ("下周一上午9点", "2026-03-09 09:00"),
        ("星期天 20:00", "2026-03-08 20:00"),
        ("9点", "2026-03-05 09:00"),
        ("下午3点", "2026-03-04 15:00"),
        ("15:00", "2026-03-04 15:00"),
        ("十二点", "2026-03-04 12:00"),
        ("凌晨12点", "2026-03-05 00:00"),
        ("5 Mar 9:00", "2026-03-05 09:00"),
        ("Mar 5, 9am", "2026-03-05 09:00"),
        ("March 5th 3 pm", "2026-03-05 15:00"),
        ("tomorrow 9:00", "2026-03-05 09:00"),
        ("tomorrow at 9 PM", "2026-03-05 21:00"),
        ("Friday 9:00", "2026-03-06 09:00"),
        ("next Monday 12am", "2026-03-09 00:00"),
    ],
)
def test_a_typed_time_is_read_as_meant(typed: str, meant: str):
    expected = datetime.fromisoformat(meant).replace(tzinfo=SHANGHAI)
    assert read(typed, NOW, SHANGHAI) == expected


@pytest.mark.parametrize(
    "typed",
    ["", "明天", "尽快", "25:00", "13月40日 9:00", "2026-02-30 9:00", "某天 9:00", "9", "whenever 9:00"],
)
def test_what_is_no_time_is_not_guessed(typed: str):
    assert read(typed, NOW, SHANGHAI) is None


def test_the_offered_moments_lie_ahead_in_order():
    moments = [moment.astimezone(SHANGHAI).strftime("%a %H:%M") for moment in offered(NOW, SHANGHAI)]
    assert moments == ["Wed 11:05", "Wed 18:00", "Thu 09:00", "Mon 09:00"]


def test_in_the_evening_this_evening_is_offered_no_more():
    late = NOW + timedelta(hours=8)
    assert all(moment > late for moment in offered(late, SHANGHAI))
    assert len(offered(late, SHANGHAI)) == 3
