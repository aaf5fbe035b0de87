"""What a process measures of itself, beside what the rows say: sends, batches, jobs, updates, ticks, transactions.

Plain numbers are added up, and made into metrics when somebody asks: a send costs half a microsecond so, with the
library's own counters and their locks two.
"""

import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from bot.raw import Update
from domain.delivery import Outcome
from domain.messages import Envelope
from scheduler.clock import Ticker
from services.sender import Channel

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
BATCHES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
Feed = Callable[[int, Update, bool], Awaitable[None]]


class Spread:
    """A histogram in plain numbers."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def note(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def buckets(self) -> list[tuple[str, float]]:
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self.counts), strict=True))


class Meters(Collector):
    """All meters of a process, and the registry that shows them."""

    def __init__(self) -> None:
        self._tickers: list[Ticker] = []
        self._sends: dict[str, _Sends] = {}
        self._jobs: defaultdict[str, Spread] = defaultdict(Spread)
        self._updates: defaultdict[str, Spread] = defaultdict(Spread)
        self._transactions: defaultdict[str, Spread] = defaultdict(Spread)
        self._batches, self._delays = Spread(BATCHES), Spread()
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)

    def metered(self, channel: Channel, account: str) -> Channel:
        """Return a channel that counts and times what it sends."""
        return _Metered(channel, self._sends.setdefault(account, _Sends()))

    def fed(self, feed: Feed) -> Feed:
        """Return a feed whose updates are timed, those that fail too."""

        async def timed(account_id: int, update: Update, again: bool) -> None:
            began, result = time.perf_counter(), "failed"
            try:
                await feed(account_id, update, again)
                result = "done"
            finally:
                self._updates[result].note(time.perf_counter() - began)

        return timed

    def watch(self, ticker: Ticker) -> None:
        self._tickers.append(ticker)

    def recorded(self, outcomes: int, seconds: float) -> None:
        """Note a batch of outcomes that was written, so many seconds after the first of them was known."""
        self._batches.note(outcomes)
        self._delays.note(seconds)

    def worked(self, job: str, seconds: float) -> None:
        """Note a turn of the job engine."""
        self._jobs[job].note(seconds)

    def transacted(self, seconds: float, committed: bool) -> None:
        """Note the end of a transaction that writes."""
        self._transactions["committed" if committed else "rolled_back"].note(seconds)

    def collect(self) -> Iterator[Metric]:
        """Make metrics of what was added up so far."""
        yield from self._of_sends()
        yield _histogram("recorded_batch_size", "Outcomes written in one transaction", {"": self._batches})
        delay = "How long after the first of a batch was known its outcomes were written"
        yield _histogram("recorded_delay_seconds", delay, {"": self._delays})
        yield _histogram("job_seconds", "Turns of the job engine", self._jobs, "job")
        yield _histogram("update_seconds", "How long an update was handled", self._updates, "result")
        of_writer = "Transactions that write, from asking for a connection"
        yield _histogram("transaction_seconds", of_writer, self._transactions, "result")
        yield from self._of_ticks()

    def _of_sends(self) -> Iterator[Metric]:
        sends = CounterMetricFamily(
            "tongdao_sends", "Sends of this process, by outcome", labels=["account", "outcome"]
        )
        flying = GaugeMetricFamily(
            "tongdao_sends_in_flight", "Sends of this process that wait for an answer", labels=["account"]
        )
        for account, each in self._sends.items():
            flying.add_metric([account], each.in_flight)
            for outcome, count in each.outcomes.items():
                sends.add_metric([account, outcome.__name__.lower()], count)
        yield from (sends, flying)
        spreads = {account: each.seconds for account, each in self._sends.items()}
        what = "How long a send took, from its request to its whole answer"
        yield _histogram("send_seconds", what, spreads, "account")

    def _of_ticks(self) -> Iterator[Metric]:
        took = SummaryMetricFamily("tongdao_tick_seconds", "How long a tick's work took", labels=["tick"])
        failed = CounterMetricFamily("tongdao_tick_failures", "Ticks that raised", labels=["tick"])
        lag = GaugeMetricFamily("tongdao_tick_lag_seconds", "By how much a tick is overdue", labels=["tick"])
        for ticker in self._tickers:
            for name, seconds in ticker.lags().items():
                lag.add_metric([name], seconds)
            for name, each in ticker.took.items():
                took.add_metric([name], each.count, each.seconds)
                failed.add_metric([name], each.failed)
        yield from (took, failed, lag)


@dataclass(slots=True)
class _Sends:
    outcomes: defaultdict[type[Outcome], int] = field(default_factory=lambda: defaultdict(int))
    seconds: Spread = field(default_factory=Spread)
    in_flight: int = 0


class _Metered:
    __slots__ = ("_sends", "_way_out")

    def __init__(self, channel: Channel, sends: _Sends) -> None:
        self._way_out = channel.send
        self._sends = sends

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        sends = self._sends
        began = time.perf_counter()
        sends.in_flight += 1
        try:
            outcome = await self._way_out(envelope, file_id)
        finally:
            sends.in_flight -= 1
        sends.seconds.note(time.perf_counter() - began)
        sends.outcomes[type(outcome)] += 1
        return outcome


def _histogram(name: str, what: str, spreads: Mapping[str, Spread], label: str = "") -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"tongdao_{name}", what, labels=[label] if label else [])
    for value, each in spreads.items():
        family.add_metric([value] if label else [], each.buckets, each.total)
    return family
