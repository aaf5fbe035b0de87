"""What a recorded vote costs through the whole bot, beside aiogram's bare echo and a bot with the same writes."""

import asyncio
import json
import statistics
import sys

from benchmarks.common import run, show
from benchmarks.fake_server import fake_server

VOTES = 3000
ROUNDS = 3
AT_ONCE = 50
NAMES = {
    "echo": "aiogram's bare echo with 20 handlers: one answer to a message",
    "tap": "the same for a tap: two requests, as a vote needs",
    "writes": "an aiogram bot with the same writes, SQLModel sessions on SQLite",
    "core": "the same bot by SQLAlchemy Core, one transaction a vote, updates kept fifty at a time",
    "ours": "ours on SQLite: inbox, rights, vote, answer, ending",
}
ALONE = ("echo", "tap", "writes", "ours")
Middle = dict[str, float]


async def main() -> None:
    async with fake_server() as server:
        together = await _measure(server.origin, tuple(NAMES), VOTES, AT_ONCE)
        alone = await _measure(server.origin, ALONE, VOTES // 3, 1)
        profiled = await _run("vote_ours", server.origin, VOTES // 3, AT_ONCE, "profile")
    bare, same = together["ours"] / together["echo"], together["ours"] / together["writes"]
    show(
        "What a recorded vote costs",
        ("CPU of a vote", "us", "of the echo", "of the same writes", "of the same by Core"),
        [
            (
                words,
                f"{together[name]:.0f}",
                *(f"{together[name] / together[of]:.2f}" for of in NAMES if of in OF),
            )
            for name, words in NAMES.items()
        ],
        bar="A recorded vote: at most 1.3 of aiogram's bare echo, and at most 1.0 of a bot with the same writes",
        reached=(
            f"{bare:.2f} of the echo, {same:.2f} of the same writes by SQLModel sessions, "
            f"{together['ours'] / together['core']:.2f} of the same by Core, which this bar does not mean"
        ),
        met=bare <= 1.3 and same <= 1.0,
        note=(
            f"{AT_ONCE} at once, for all: what comes at once is read and written together here "
            "(docs/decisions/written-together.md), and a poll's call brings thousands of presses within minutes."
        ),
    )
    show(
        "The same, one at a time",
        ("CPU of a vote", "us", "of the echo", "of the same writes"),
        [
            (
                f"alone, {NAMES[name]}",
                f"{alone[name]:.0f}",
                *(f"{alone[name] / alone[of]:.2f}" for of in ALONE if of in OF),
            )
            for name in ALONE
        ],
        note=(
            "Nobody to share a statement with: an update is kept, looked at, voted and ended in three "
            "transactions and a reading of its own, of which the echo has none, and each of their statements is a trip to "
            "SQLite's thread and back."
        ),
    )
    show(
        "Where a vote's time goes",
        ("", "share"),
        [(name, f"{share:.0%}") for name, share in json.loads(profiled.splitlines()[0]).items()],
        note=f"By cProfile, which makes small functions look dearer than they are; {AT_ONCE} at once.",
    )


OF = ("echo", "writes", "core")
"""What the others are compared with."""


async def _measure(origin: str, names: tuple[str, ...], votes: int, at_once: int) -> Middle:
    """Return the microseconds of each, the median of some rounds in turns."""
    figures: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name in names:
            module = ("vote_ours",) if name == "ours" else ("vote_peers", name)
            figures[name].append(float(await _run(*module, origin, votes, at_once)))
    return {name: statistics.median(values) for name, values in figures.items()}


async def _run(module: str, *words: object) -> str:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"benchmarks.{module}", *map(str, words), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return said.decode()


if __name__ == "__main__":
    run(main)
