"""A fleet that sends one large notice, as a simulation: the real rule of the pace, slices where the engine lays them.

What a step costs PostgreSQL and a worker is given (`benchmarks.scaling` has it from measurements). PostgreSQL is so
many cores that serve one step after the other, a worker is one core; nothing is sent, and no database is asked.
"""

import heapq
import itertools
import random
from dataclasses import dataclass, field, replace

from domain.delivery import Lane
from domain.pace import Granted, Pace, group_size

MACHINES = 5
SLICE, IN_HAND = 1000, 4
"""Deliveries of a slice, and slices of a dispatch and account that are in workers' hands (`services.delivery`)."""
LATENCY, SPREAD, RECORD_EVERY, CLAIM_AHEAD = 0.2, 0.2, 0.05, 0.2
"""Seconds a send takes, by how much that varies, for which outcomes gather, and by which a claim precedes its sends."""
TAKEN_OVER = 8.0 + 5.0
"""Seconds until the jobs of a dead worker are others': its last heartbeat is too old, and somebody looks."""
MANAGERS, EVENTS_A_SLICE, POLL = 2, 2, 5.0
"""Of each worker, all of whom look for a job when one is made or over, and every few seconds."""
TICK = 2.0
SEED = 7


@dataclass(frozen=True, slots=True)
class Line:
    """A cost that is there once, and again for each row; microseconds or bytes."""

    fixed: float
    row: float

    @classmethod
    def through(cls, few: tuple[int, float], many: tuple[int, float]) -> "Line":
        """Draw the line through two measurements."""
        row = (many[1] - few[1]) / (many[0] - few[0])
        return cls(max(0.0, few[1] - few[0] * row), row)

    def of(self, rows: float) -> float:
        return self.fixed + rows * self.row

    def times(self, factor: float) -> "Line":
        return Line(self.fixed * factor, self.row * factor)


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured, as the simulation needs it: microseconds of CPU, and bytes of log."""

    reservation: float
    claim: Line
    record: Line
    """Of outcomes of one slice."""
    counted: float
    """For each further slice of which there are outcomes in a batch."""
    look: float
    crowd: float
    tick: float
    """Of the clock, for each slice that is not done."""
    log: Line
    worker: Line
    """Of a worker, a group and each of its deliveries."""
    idle: float = 0.0
    """Of a worker that has nothing to send, in cores."""

    def times(self, factor: float) -> "Costs":
        """Make all that PostgreSQL does so many times as dear."""
        lines = {name: getattr(self, name).times(factor) for name in ("claim", "record")}
        names = ("reservation", "counted", "look", "crowd", "tick")
        return replace(self, **lines, **{name: getattr(self, name) * factor for name in names})

    def recorded(self, size: int, rate: float, batch: float) -> float:
        """Return what it costs to record a group: it is spread over batches, which it shares with other slices."""
        pieces = min(size, 1 + (size / rate + SPREAD) / RECORD_EVERY)
        return (
            size / batch * (self.record.fixed - self.counted) + pieces * self.counted + size * self.record.row
        )

    def looks(self, workers: int) -> float:
        """Return what the managers' looks after each job cost PostgreSQL, a delivery: all of them look."""
        return workers * MANAGERS * EVENTS_A_SLICE * self.look / SLICE

    def beside(self, workers: int, accounts: int, slices: float) -> float:
        """Return the cores of PostgreSQL that are busy however much is sent."""
        polls = workers * MANAGERS / POLL * self.look
        crowds = accounts * IN_HAND * self.crowd
        return (polls + crowds + slices * self.tick / TICK) / 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """A run: how many accounts pay, PostgreSQL's cores, and when a machine dies."""

    words: str
    cores: int
    paid: int = 0
    workers: int = 50
    accounts: int = 200
    members: int = 10_000_000
    seconds: float = 60.0
    dies_at: float | None = None

    @property
    def ceilings(self) -> list[float]:
        return [1000.0] * self.paid + [30.0] * (self.accounts - self.paid)

    @property
    def allowed(self) -> float:
        """How much all accounts may send a second."""
        return sum(Pace(ceiling=each).top for each in self.ceilings)


@dataclass(slots=True)
class Account:
    """One account: its pace, in a row that all its slices ask."""

    pace: Pace


@dataclass(slots=True)
class Hand:
    """A place in which slices of one account lie, one after the other: with which worker, and what is in the air."""

    account: Account
    worker: int
    open: list[tuple[float, float, int]] = field(default_factory=list)
    """Of each group: when it was claimed, when it will be recorded, and how many it has."""


@dataclass(slots=True)
class Run:
    """What a simulated run brought: sends of each second, cores used, groups and those too late, log, doubts."""

    sent: dict[int, int] = field(default_factory=dict)
    busy: float = 0.0
    worked: float = 0.0
    groups: int = 0
    late: int = 0
    log: float = 0.0
    doubtful: int = 0

    def rate(self, since: float, until: float) -> float:
        """Return the mean of whole seconds."""
        return sum(self.sent.get(second, 0) for second in range(int(since), int(until))) / (until - since)


class Simulation:
    """Plays a plan from group to group."""

    def __init__(self, plan: Plan, costs: Costs) -> None:
        self._plan, self._costs, self.run = plan, costs, Run()
        self._chance = random.Random(SEED)
        self._numbers = itertools.count()
        self._beside = costs.beside(plan.workers, plan.accounts, plan.members / SLICE)
        self._looks = costs.looks(plan.workers)
        self._slower = 1 / max(0.05, 1 - self._beside / plan.cores)
        self._cores = [0.0] * plan.cores
        self._free = [0.0] * plan.workers
        self._batch = 1 + plan.allowed / plan.workers * RECORD_EVERY
        self._dead: set[int] = set()
        self._hands: list[Hand] = []
        self._events: list[tuple[float, int, str, Hand, int]] = []

    def simulate(self) -> Run:
        """Play all of it."""
        for ceiling in self._plan.ceilings:
            account = Account(Pace(rate=ceiling * 0.975, ceiling=ceiling))
            workers = [self._chance.randrange(self._plan.workers) for _ in range(IN_HAND)]
            self._hands += [Hand(account, worker) for worker in workers]
        for hand in self._hands:
            self._later(self._chance.random(), "ask", hand)
        while self._events:
            now, _, what, hand, size = heapq.heappop(self._events)
            if now > self._plan.seconds:
                break
            if self._plan.dies_at is not None and not self._dead and now > self._plan.dies_at:
                self._die(now)
            elif hand.worker not in self._dead:
                {"ask": self._ask, "record": self._record}[what](now, hand, size)
        self.run.busy += self._beside * self._plan.seconds
        self.run.worked += self._costs.idle * self._plan.workers * self._plan.seconds
        return self.run

    def _ask(self, now: float, hand: Hand, _size: int) -> None:
        """Reserve a group, claim it a little ahead, send it, and ask for the next; or ask again later."""
        size = group_size(hand.account.pace.rate, SLICE)
        done = self._database(now, self._costs.reservation)
        hand.account.pace, granted = hand.account.pace.reserve(Lane.NORMAL, size, now)
        if not isinstance(granted, Granted):
            self._later(max(done, granted.at), "ask", hand)
            return
        begun = max(done, granted.start - CLAIM_AHEAD)
        claimed = max(self._database(begun, self._costs.claim.of(size)), self._work(hand.worker, begun, size))
        self._send(hand, granted, claimed, size)

    def _send(self, hand: Hand, granted: Granted, claimed: float, size: int) -> None:
        start = granted.start
        if claimed > start:  # too late for its place: it takes another
            self.run.late += 1
            hand.account.pace, again = hand.account.pace.reserve(Lane.NORMAL, size, claimed)
            start = again.start if isinstance(again, Granted) else again.at
        recorded = start + size * granted.interval + LATENCY + RECORD_EVERY
        hand.open = [*(each for each in hand.open if each[1] > claimed), (claimed, recorded, size)]
        self.run.groups += 1
        self.run.log += self._costs.log.of(size)
        self.run.sent[int(start)] = self.run.sent.get(int(start), 0) + size
        self._later(recorded, "record", hand, size)
        self._later(claimed, "ask", hand)

    def _record(self, now: float, hand: Hand, size: int) -> None:
        """Write outcomes, which gather in a worker; and its share of the looks for a job when a slice is over."""
        self._database(
            now, self._costs.recorded(size, hand.account.pace.rate, self._batch) + self._looks * size
        )

    def _database(self, now: float, cost: float) -> float:
        """Let the core that is free first do something; return when it is done."""
        seconds = cost / 1e6
        done = max(now, self._cores[0]) + seconds * self._slower
        heapq.heapreplace(self._cores, done)
        self.run.busy += seconds
        return done

    def _work(self, worker: int, now: float, size: int) -> float:
        """Let a worker prepare, send and record so many; return when it has."""
        seconds = self._costs.worker.of(size) / 1e6
        self._free[worker] = max(now, self._free[worker]) + seconds
        self.run.worked += seconds
        return self._free[worker]

    def _die(self, now: float) -> None:
        """Lose a machine: what its workers had begun is doubtful, their slices are taken over a little later."""
        self._dead = set(range(self._plan.workers // MACHINES))
        orphans = [hand for hand in self._hands if hand.worker in self._dead]
        for hand in orphans:
            self.run.doubtful += sum(size for began, ends, size in hand.open if began <= now < ends)
            hand.open = []
            hand.worker = self._chance.randrange(len(self._dead), self._plan.workers)
        lost = set(map(id, orphans))
        self._events = [each for each in self._events if id(each[3]) not in lost]
        heapq.heapify(self._events)
        for hand in orphans:
            self._later(now + TAKEN_OVER, "ask", hand)

    def _later(self, at: float, what: str, hand: Hand, size: int = 0) -> None:
        heapq.heappush(self._events, (at, next(self._numbers), what, hand, size))
