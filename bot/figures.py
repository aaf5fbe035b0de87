"""The figures of `/metrics` that stand in the rows: read anew at each scrape, whatever process wrote them."""

from datetime import datetime
from math import inf

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from domain.pace import PaceKind
from storage import figures as totals
from storage import inbox
from storage.database import Database

UPDATES = ("waiting", "effective", "quarantined")


async def read(database: Database, now: datetime, backup_at: datetime | None) -> bytes:
    """Read all of them, as Prometheus wants them; their cost grows with slices and accounts only."""
    registry = CollectorRegistry()
    async with database.read() as session:
        by_state = await inbox.counts(session)
        oldest = await inbox.oldest_waiting(session)
        deliveries = await totals.outcomes(session, now)
        slices = await totals.open_slices(session, now)
        rates = await totals.rates(session, now)
        paces = await totals.paces(session)
    gauge = _Gauges(registry)
    for state in UPDATES:
        gauge("inbox_updates", "Updates that are not done, by state", by_state.get(state, 0), state=state)
    gauge("inbox_lag_seconds", "Age of the oldest unhandled update", _age(oldest, now))
    for outcome, count in deliveries.items():
        gauge(
            "deliveries",
            "Deliveries by outcome, of what is open or ended within seven days",
            count,
            outcome=outcome,
        )
    age = _age(slices.oldest_due, now)
    gauge("delivery_oldest_due_seconds", "Age of the oldest delivery that is due and not sent", age)
    for state in ("due", "held", "paused"):
        gauge("slices", "Slices that are not done", getattr(slices, state), state=state)
    for each in paces:
        _pace(gauge, each, now)
        rate = rates.get(each.account, 0.0)
        gauge("delivery_rate", "Deliveries a second that really go out", rate, account=each.account)
    backup_age = inf if backup_at is None else _age(backup_at, now)
    gauge(
        "backup_age_seconds",
        "Age of the last backup of this data folder; infinite if none was made",
        backup_age,
    )
    return generate_latest(registry)


class _Gauges:
    """Makes each gauge once, and sets it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._made: dict[str, Gauge] = {}

    def __call__(self, name: str, what: str, value: float, **labels: str) -> None:
        if name not in self._made:
            self._made[name] = Gauge(f"tongdao_{name}", what, list(labels), registry=self._registry)
        made = self._made[name]
        (made.labels(**labels) if labels else made).set(value)


def _pace(gauge: _Gauges, each: totals.Paced, now: datetime) -> None:
    held = 0.0 if each.held_until is None else max(0.0, (each.held_until - now).total_seconds())
    whose = {"account": each.account, "kind": each.kind.value}
    gauge("pace_rate", "Messages a second that an account may send now", each.rate, **whose)
    gauge("pace_ceiling", "The most that an account may send", each.ceiling, **whose)
    if each.kind is not PaceKind.FREE:  # what follows is the account's, whatever it pays for
        return
    gauge("pace_held_seconds", "Seconds for which a 429 holds an account", held, account=each.account)
    gauge("account_halted", "1 for an account that stopped by itself", each.halted, account=each.account)


def _age(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else (now - at).total_seconds()
