"""When a digest comes: at eight, on Monday or the next morning."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.digests import Cadence, due

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/London", "America/New_York", "Pacific/Apia", "UTC"])


@given(MOMENTS, ZONES, st.sampled_from(Cadence))
@settings(max_examples=50)
def test_a_digest_comes_at_eight_and_soon(now: datetime, zone: str, cadence: Cadence):
    at = due(cadence, now, zone)
    local = at.astimezone(ZoneInfo(zone))
    assert local.time() == time(8)
    if cadence is Cadence.WEEKLY:
        assert local.weekday() == 0
        assert timedelta(0) < at - now <= timedelta(days=8)
        assert local.date() > now.astimezone(ZoneInfo(zone)).date()
    else:
        assert timedelta(0) < at - now <= timedelta(hours=25)


def test_a_daily_digest_at_eight_is_tomorrows():
    eight = datetime(2026, 3, 4, 0, 0, tzinfo=UTC)
    assert due(Cadence.DAILY, eight, "Asia/Shanghai") == eight + timedelta(days=1)
    assert due(Cadence.DAILY, eight - timedelta(seconds=1), "Asia/Shanghai") == eight
