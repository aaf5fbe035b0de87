"""What a process measures of itself, beside what the rows say: sends by outcome, their latency, and the ticks."""

import time
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.delivery import Outcome
from domain.messages import Envelope
from scheduler.clock import Ticker
from services.pipeline import Channel

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20)


class Meters:
    """One registry a process, shown with the figures of the rows."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._tickers: list[Ticker] = []
        self._sends = Counter(
            "tongdao_sends",
            "Sends of this process, by outcome",
            ["account", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tongdao_send_seconds",
            "How long a send took, from its request to its whole answer",
            ["account"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._tick_age = Gauge(
            "tongdao_tick_age_seconds",
            "Seconds since a tick of the clock ended",
            ["tick"],
            registry=self.registry,
        )

    def metered(self, channel: Channel, account: str) -> Channel:
        """Return a channel that counts and times what it sends."""
        return _Metered(channel, self._sends, self._seconds.labels(account), account)

    def watch(self, ticker: Ticker) -> None:
        self._tickers.append(ticker)

    def observe(self) -> None:
        """Bring up to date what is only known when it is asked for."""
        for ticker in self._tickers:
            for name, seconds in ticker.ages().items():
                self._tick_age.labels(name).set(seconds)


@dataclass(frozen=True, slots=True)
class _Metered:
    channel: Channel
    sends: Counter
    seconds: Histogram
    account: str

    async def send(self, envelope: Envelope, file_id: str | None) -> Outcome:
        began = time.perf_counter()
        outcome = await self.channel.send(envelope, file_id)
        self.seconds.observe(time.perf_counter() - began)
        self.sends.labels(self.account, type(outcome).__name__.lower()).inc()
        return outcome
