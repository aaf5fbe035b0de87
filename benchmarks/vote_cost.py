"""What a recorded vote costs through the whole bot, beside aiogram's bare echo and a bot with the same writes."""

import asyncio
import json
import statistics
import sys

from benchmarks.common import run, show
from benchmarks.fake_server import fake_server

VOTES = 3000
ROUNDS = 3
NAMES = {
    "echo": "aiogram's bare echo with 20 handlers: one answer to a message",
    "tap": "the same for a tap: two requests, as a vote needs",
    "writes": "an aiogram bot with the same writes, SQLModel sessions on SQLite",
    "core": "the same bot by SQLAlchemy Core, one transaction a vote, updates kept fifty at a time",
    "ours": "ours on SQLite: inbox, rights, vote, answer, ending",
}


async def main() -> None:
    figures: dict[str, list[float]] = {name: [] for name in NAMES}
    async with fake_server() as server:
        for _ in range(ROUNDS):
            for name in ("echo", "tap", "writes", "core"):
                figures[name].append(float(await _run("vote_peers", name, server.origin, VOTES)))
            figures["ours"].append(float(await _run("vote_ours", server.origin, VOTES)))
        shares = json.loads((await _run("vote_ours", server.origin, VOTES // 3, "profile")).splitlines()[0])
    middle = {name: statistics.median(values) for name, values in figures.items()}
    rows = [
        (
            words,
            f"{middle[name]:.0f}",
            f"{middle[name] / middle['echo']:.2f}",
            f"{middle[name] / middle['writes']:.2f}",
            f"{middle[name] / middle['core']:.2f}",
        )
        for name, words in NAMES.items()
    ]
    bare, same = middle["ours"] / middle["echo"], middle["ours"] / middle["writes"]
    show(
        "What a recorded vote costs",
        ("CPU of a vote", "us", "of the echo", "of the same writes", "of the same by Core"),
        rows,
        bar="A recorded vote: at most 1.3 of aiogram's bare echo, and at most 1.0 of a bot with the same writes",
        reached=(
            f"{bare:.2f} of the echo, {same:.2f} of the same writes by SQLModel sessions, "
            f"{middle['ours'] / middle['core']:.2f} of the same by Core in batches, which this bar does not mean"
        ),
        met=bare <= 1.3 and same <= 1.0,
    )
    show(
        "Where a vote's time goes",
        ("", "share"),
        [(name, f"{share:.0%}") for name, share in shares.items()],
        note=(
            "By cProfile, which makes small functions look dearer than they are. A vote is a transaction of its own "
            "with three reads (who votes and with which rights, the sheet before and after) and three writes (who "
            "took part, the vote, that the update had its effect); that it came, and that it was answered, is written "
            "together with others. The echo has none of it. How far the limit is: two requests, which an answer to a "
            "tap needs, are the second line of the table above, beyond 1.3 with nothing recorded."
        ),
    )


async def _run(module: str, *words: object) -> str:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"benchmarks.{module}", *map(str, words), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return said.decode()


if __name__ == "__main__":
    run(main)
