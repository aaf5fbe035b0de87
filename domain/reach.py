"""The reach of an audience: how many a push gets to, when, and why not to the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.pace import Pace
from domain.push_budget import next_week
from domain.quiet_hours import QuietHours
from domain.rest_days import RestDays, hold


@dataclass(frozen=True, slots=True)
class Group:
    """So many members with one prospect: without a `reason`, a push to `account_id` goes out."""

    reason: str  # stopped, blocked, residency, no_account, or nothing
    zone: str
    account_id: int | None
    capped: bool
    members: int


@dataclass(frozen=True, slots=True)
class Reach:
    """What would become of a push that starts now; each member is counted once.

    `quiet`, `resting` and `capped` get it later, each at its time at the latest; the last four never.
    """

    total: int = 0
    at_once: int = 0
    quiet: int = 0
    quiet_until: datetime | None = None
    resting: int = 0
    resting_until: datetime | None = None
    capped: int = 0
    capped_until: datetime | None = None
    no_account: int = 0
    blocked: int = 0
    stopped: int = 0
    residency: int = 0
    expected_finish: datetime | None = None

    @property
    def reachable(self) -> int:
        """Who gets it, now or later."""
        return self.at_once + self.quiet + self.resting + self.capped

    @property
    def unreachable(self) -> int:
        return self.no_account + self.blocked + self.stopped + self.residency


@dataclass(frozen=True, slots=True)
class _Push:
    """So many pushes on one account, from `start` on."""

    why: str
    start: datetime
    account_id: int
    members: int


def reach_of(
    groups: Iterable[Group],
    *,
    quiet: QuietHours | None,
    rest: RestDays | None = None,
    rates: Mapping[int, float],
    now: datetime,
) -> Reach:
    """Add up an audience's groups; `rates` are pushes a second of each account."""
    found = list(groups)
    pushes = [_push(group, quiet, rest, now) for group in found if not group.reason]
    return Reach(
        total=sum(group.members for group in found),
        at_once=_sum(pushes, "at_once"),
        quiet=_sum(pushes, "quiet_hours"),
        quiet_until=_last(pushes, "quiet_hours"),
        resting=_sum(pushes, "rest_day"),
        resting_until=_last(pushes, "rest_day"),
        capped=_sum(pushes, "capped"),
        capped_until=_last(pushes, "capped"),
        no_account=sum(group.members for group in found if group.reason == "no_account"),
        blocked=sum(group.members for group in found if group.reason == "blocked"),
        stopped=sum(group.members for group in found if group.reason == "stopped"),
        residency=sum(group.members for group in found if group.reason == "residency"),
        expected_finish=_finish(pushes, rates),
    )


def _push(group: Group, quiet: QuietHours | None, rest: RestDays | None, now: datetime) -> _Push:
    account_id = group.account_id or 0
    if group.capped:
        monday = next_week(now, group.zone)
        held = hold(quiet, rest, monday, group.zone)
        return _Push("capped", held.until if held else monday, account_id, group.members)
    held = hold(quiet, rest, now, group.zone)
    if held is not None:
        return _Push(held.reason, held.until, account_id, group.members)
    return _Push("at_once", now, account_id, group.members)


def _sum(pushes: Iterable[_Push], why: str) -> int:
    return sum(push.members for push in pushes if push.why == why)


def _last(pushes: Iterable[_Push], why: str) -> datetime | None:
    return max((push.start for push in pushes if push.why == why), default=None)


def _finish(pushes: Iterable[_Push], rates: Mapping[int, float]) -> datetime | None:
    """Say when the last push has gone: accounts work side by side, each its pushes in order of their start."""
    ends: dict[int, datetime] = {}
    for push in sorted(pushes, key=lambda push: push.start):
        begun = max(push.start, ends.get(push.account_id, push.start))
        rate = rates.get(push.account_id, Pace().rate)
        ends[push.account_id] = begun + timedelta(seconds=push.members / rate)
    return max(ends.values(), default=None)
