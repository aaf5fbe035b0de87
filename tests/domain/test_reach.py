"""The reach of a push: who gets it when, and who does not."""

from datetime import UTC, datetime, timedelta

from domain.quiet_hours import QuietHours
from domain.reach import Group, Reach, reach_of

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)  # Wednesday, 12:00 in Shanghai
LATE = datetime(2026, 3, 4, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
MORNING = datetime(2026, 3, 5, 0, 0, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)  # 08:00 in Shanghai
ZONE = "Asia/Shanghai"


def group(members: int, reason: str = "", *, account: int | None = 1, capped: bool = False, zone: str = ZONE):
    return Group(reason, zone, None if reason else account, capped, members)


def reach(*groups: Group, now: datetime = NOON, rates=None) -> Reach:
    return reach_of(groups, quiet=QuietHours(), rates={1: 10.0} if rates is None else rates, now=now)


def test_everyone_is_counted_once():
    found = reach(
        group(50), group(3, "stopped"), group(4, "blocked"), group(5, "no_account"), group(7, capped=True)
    )
    assert (found.total, found.at_once, found.stopped, found.blocked) == (69, 50, 3, 4)
    assert (found.no_account, found.capped, found.quiet) == (5, 7, 0)
    assert (found.reachable, found.unreachable) == (57, 12)


def test_nobody_is_reached_and_nothing_finishes():
    assert reach() == Reach()
    assert reach(group(3, "stopped")).expected_finish is None


def test_the_finish_follows_from_the_pace():
    assert reach(group(50)).expected_finish == NOON + timedelta(seconds=5)


def test_an_account_without_a_pace_yet_is_taken_at_the_usual_one():
    assert reach(group(50), rates={}).expected_finish == NOON + timedelta(seconds=2)


def test_accounts_send_side_by_side():
    found = reach(group(50), group(80, account=2), rates={1: 10.0, 2: 20.0})
    assert found.expected_finish == NOON + timedelta(seconds=5)


def test_in_quiet_hours_all_wait_for_the_morning():
    found = reach(group(50), now=LATE)
    assert (found.at_once, found.quiet, found.quiet_until) == (0, 50, MORNING)
    assert found.expected_finish == MORNING + timedelta(seconds=5)


def test_it_is_quiet_where_the_member_lives():
    found = reach(group(50), group(20, zone="Europe/Berlin"), now=LATE)
    assert (found.at_once, found.quiet) == (20, 50)


def test_above_the_weekly_cap_they_wait_for_monday():
    found = reach(group(50), group(20, capped=True))
    assert (found.at_once, found.capped, found.capped_until) == (50, 20, MONDAY)
    assert found.expected_finish == MONDAY + timedelta(seconds=2)


def test_a_long_push_delays_the_one_that_was_held():
    found = reach(group(5_000_000), group(20, capped=True))
    assert found.expected_finish == NOON + timedelta(seconds=500_002)
