"""Quiet hours: when a push waits, and until when (DOMAIN.md 3.2)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A span of local time, over midnight if `start` is later than `end`; it ends at `end`, exclusive."""

    start: time = time(21)
    end: time = time(8)

    def held_until(self, now: datetime, zone: str) -> datetime | None:
        """Return the end (UTC) of the quiet hours that `now` lies in, or `None` outside of them."""
        local = now.astimezone(ZoneInfo(zone))
        clock = local.time()
        if self.start <= self.end:
            return self._end(local.date(), zone) if self.start <= clock < self.end else None
        if clock >= self.start:
            return self._end(local.date() + timedelta(days=1), zone)
        return self._end(local.date(), zone) if clock < self.end else None

    def _end(self, day: date, zone: str) -> datetime:
        return datetime.combine(day, self.end, ZoneInfo(zone)).astimezone(UTC)


def parse(text: str) -> QuietHours | None:
    """Read ``21:00-08:00``, or ``off`` as `None`; raises `ValueError` on anything else."""
    if text.strip().lower() == "off":
        return None
    start, dash, end = text.partition("-")
    if not dash:
        msg = f"{text!r} is neither off nor like 21:00-08:00"
        raise ValueError(msg)
    return QuietHours(time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
