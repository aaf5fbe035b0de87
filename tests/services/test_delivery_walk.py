"""Any order of control, failures, deaths of workers and late answers: the counters are the rows, and all end once."""

import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.delivery import NotSent, Outcome, Rejected, Sent, Unknown, Unreachable, decide
from domain.messages import Envelope
from services.delivery import Delivery
from storage import deliveries, dispatches, materialise
from storage.deliveries import Claim
from storage.outcomes import Record, record
from tests.delivery_counts import assert_counters_are_the_rows, open_rows
from tests.delivery_world import FakeChannel, build, change, settle, start

PEOPLE = 7
STEPS = ("go", "pause", "resume", "cancel", "retry", "again", "leave", "tick", "wait", "die", "late", "stop")
walks = st.lists(st.sampled_from(STEPS), min_size=3, max_size=14)


class Walk:
    """One dispatch that is led through steps; what a server answers is drawn from a seed."""

    def __init__(
        self, database, clock, delivery: Delivery, channel: FakeChannel, seed: int, policy: str
    ) -> None:
        self.database, self.clock, self.delivery, self.policy = database, clock, delivery, policy
        self.drawn = random.Random(seed)
        self.channel = channel
        channel.answer = self._answer
        self.taken: Counter[int] = Counter()
        self.lost: list[Claim] = []
        self.doubts: Counter[int] = Counter()
        self.calm = False

    def _answer(self, envelope: Envelope) -> Outcome:
        kinds = (
            Sent(1),
            Sent(1),
            NotSent("refused"),
            Unknown("502"),
            Rejected("bad"),
            Unreachable("blocked"),
        )
        outcome = Sent(1) if self.calm else self.drawn.choice(kinds)
        chat = envelope.to.chat_id
        self.taken[chat] += isinstance(outcome, Sent)
        self.doubts[chat] += isinstance(outcome, Unknown)
        return outcome

    async def go(self) -> None:
        """Run what the kick would run, in its order."""
        async with self.database.read() as session:
            due = await dispatches.due_slices(session, self.clock())
        for each in due:
            await self.delivery.run_slice(each.id, each.generation)
        await self.delivery.pipeline.drain()

    async def step(self, name: str, number: int) -> None:
        match name:
            case "go":
                await self.go()
            case "pause" | "resume" | "cancel":
                await getattr(self.delivery, name)(number)
            case "retry":
                await self.delivery.retry_failed(number)
            case "again" | "leave":
                await self.delivery.resolve_unknown(number, again=name == "again")
            case "tick":
                await self.delivery.tick()
            case "wait":
                self.clock.forward(minutes=4)
            case "die":
                await self._die()
            case "late":
                await self._late()
            case "stop":
                await change(self.database, "member", self.drawn.randint(1, PEOPLE), stopped_at=self.clock())

    async def _die(self) -> None:
        """Claim a group, and be gone before anything is recorded."""
        async with self.database.read() as session:
            due = await dispatches.due_slices(session, self.clock())
        for each in due[:1]:
            pipeline = self.delivery.pipeline
            taken = await pipeline._open(each.id, each.generation)
            async with self.database.begin() as session:
                claimed = await deliveries.claim(
                    session,
                    taken,
                    limit=2,
                    attempt_id=f"{self.drawn.random()}",
                    rules=pipeline._rules,
                    now=self.clock(),
                )
            self.lost.extend(claimed.claims)

    async def _late(self) -> None:
        """Let a worker that was given up tell that it had sent its message after all."""
        if self.lost:
            claim = self.lost.pop(self.drawn.randrange(len(self.lost)))
            verdict = decide(Sent(5), attempt=claim.attempt, policy=self.policy, now=self.clock())
            async with self.database.begin() as session:
                await record(session, [Record(claim.id, claim.attempt_id, verdict)], self.clock())

    async def end(self, number: int) -> None:
        """Let the server be well and everybody come: whatever is open has to end by the kick alone."""
        self.calm = True
        await self.delivery.resume(number)
        for _ in range(12):
            self.clock.forward(minutes=4)
            await self.delivery.tick()
            await self.go()
        await self.delivery.tick()


@pytest.fixture(autouse=True)
def small_slices(monkeypatch) -> None:
    monkeypatch.setattr(materialise, "SLICE_SIZE", 3)
    monkeypatch.setattr(dispatches, "IN_HAND", 2)


@pytest.fixture
async def walker(database, clock):
    """Yield what makes a walk of a dispatch to seven people, on one database for all walks."""
    members = await settle(database, clock, PEOPLE)
    channel = FakeChannel()
    delivery = await build(database, clock, channel)
    delivery.pipeline._halt_after = 0

    async def walk(steps: list[str], seed: int, policy: str) -> None:
        for each in members:
            await change(database, "member", each, stopped_at=None)
            await change(database, "account_link", each, state="active")
        made = Walk(database, clock, delivery, channel, seed, policy)
        number = await start(delivery, database, members, unknown_policy=policy)
        for step in steps:
            await made.step(step, number)
            await assert_counters_are_the_rows(database, number)
        await made.end(number)
        await assert_counters_are_the_rows(database, number)
        assert await open_rows(database, number) == 0
        figures = await delivery.figures(number)
        assert figures.state in {"done", "cancelled"}
        if policy == "park" and not {"again", "late", "die"} & set(steps):
            assert all(count <= 1 for count in made.taken.values())
            assert sum(made.taken.values()) == figures.sent

    return walk


CALM = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow_on_postgresql
@settings(CALM, max_examples=5)
@given(steps=walks, seed=st.integers(0, 10**6), policy=st.sampled_from(["park", "resend"]))
async def test_the_counters_are_the_rows_and_all_end_whatever_happens(walker, steps, seed, policy):
    await walker(steps, seed, policy)


@pytest.mark.slow
@pytest.mark.timeout(120)
@settings(CALM, max_examples=40)
@given(steps=walks, seed=st.integers(0, 10**6), policy=st.sampled_from(["park", "resend"]))
async def test_the_same_in_many_more_orders(walker, steps, seed, policy):
    await walker(steps, seed, policy)
