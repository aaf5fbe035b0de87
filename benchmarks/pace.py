"""How much of an allowed 30/s the engine uses against a server that enforces it, at 200 +- 100 ms of latency.

    python -m benchmarks.pace [SENDS]

One server refuses only what is too much in any second; the other then refuses everything for a while.
The engine sends 3,000 messages with its adaptive pace, through the job engine and SQLite, in a worker process: once
with the limit as its ceiling, as a bridge is set up, so that it stays below and meets no 429, and once with twice that,
so that it has to learn the limit from 429s. The bars mean the first. Beside them, at the same time, peers as their
manuals have them send for as long.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

from benchmarks.common import run, show
from benchmarks.fake_server import FakeServer, Stats, fake_server
from benchmarks.pace_peers import PEERS
from benchmarks.worker import filled, running_workers
from storage.database import Database

LIMIT, SENDS = 30, 3_000
START, UNTOLD = 25, 60
"""Where the pace begins, and the ceiling of one that does not know the limit."""
OURS, LEARNING = "Tongdao", f"Tongdao, its ceiling at {UNTOLD}/s: it learns"
CEILINGS = {OURS: LIMIT, LEARNING: UNTOLD}
LEAST = {"excess only": 0.93, "punishing": 0.88}
MOST_REFUSED = 0.005
RETRY_AFTER = {"excess only": 1, "punishing": 5}


async def main(sends: int = SENDS) -> None:
    print(f"{sends:,} sends at {LIMIT}/s: this takes {sends / LIMIT:.0f} s and more.")
    async with AsyncExitStack() as stack:
        senders = {(name, kind): partial(_peer, name, sends / LIMIT) for kind in LEAST for name in PEERS}
        for number, (name, kind) in enumerate((name, kind) for kind in LEAST for name in CEILINGS):
            filling = filled("sqlite", f"pace_{number}", sends, rate=START)
            database = await stack.enter_async_context(filling)
            senders[name, kind] = partial(_ours, database, CEILINGS[name])
        stats = await asyncio.gather(*(_case(send, kind) for (_, kind), send in senders.items()))
    found = dict(zip(senders, stats, strict=True))
    for kind, least in LEAST.items():
        ours, learning = found[OURS, kind], found[LEARNING, kind]
        share, refused = _share(ours), _refused(ours)
        bar = f"Share of an allowed {LIMIT}/s, {kind}: at least {least}"
        met = share >= least
        if kind == "excess only":
            bar += f" with at most {MOST_REFUSED:.1%} of 429s"
            met = met and refused <= MOST_REFUSED
        show(
            f"A server that enforces {LIMIT}/s, {kind}, {sends:,} sends",
            ("", "sent", "seconds", "share of the allowed", "429s", "429s, share", "busiest second"),
            [_row(name, found[name, kind]) for name in (*CEILINGS, *PEERS)],
            bar=bar,
            reached=(
                f"{share:.3f}, {refused:.2%} of 429s, told the limit as its ceiling as by default; told twice as much, "
                f"so that it has to learn the limit, {_share(learning):.3f}, {_refused(learning):.2%}"
            ),
            met=met,
            note=f"A 429 asks for {RETRY_AFTER[kind]} s. Peers send for {sends / LIMIT:.0f} s.",
        )


async def _case(send: Callable[[FakeServer], Awaitable[None]], kind: str) -> Stats:
    async with fake_server(
        latency_ms=200,
        spread_ms=100,
        limit=LIMIT,
        punishing=kind == "punishing",
        retry_after=RETRY_AFTER[kind],
    ) as server:
        await send(server)
        return await server.stats()


async def _ours(database: Database, ceiling: float, server: FakeServer) -> None:
    async with running_workers(database, server, rate=START, ceiling=ceiling) as [worker]:
        worker.begin()
        await worker.ended()


async def _peer(name: str, seconds: float, server: FakeServer) -> None:
    words = [name, server.origin, server.token, str(seconds)]
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.pace_peers", *words)
    if await child.wait():
        raise RuntimeError(name)


def _share(stats: Stats) -> float:
    return stats.taken / (stats.elapsed * LIMIT)


def _refused(stats: Stats) -> float:
    return stats.refused / (stats.taken + stats.refused)


def _row(name: str, stats: Stats) -> tuple[str, ...]:
    figures = (f"{_share(stats):.3f}", f"{stats.refused:,}", f"{_refused(stats):.1%}", f"{stats.busiest}")
    return (name, f"{stats.taken:,}", f"{stats.elapsed:.1f}", *figures)


if __name__ == "__main__":
    run(partial(main, *map(int, sys.argv[1:2])))
