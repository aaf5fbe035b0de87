"""What a delivery costs, from its row to its recorded outcome, beside peers that only send.

    python -m benchmarks.delivery_cost [ROUNDS]

Everybody runs in a process of its own on uvloop, one after the other, so that a noisy minute meets them alike.
"""

import asyncio
import statistics
import sys
from functools import partial

from benchmarks.common import ENGINES, fresh, run, show
from benchmarks.cost_ours import clock
from benchmarks.database_cost import settle as let_rest
from benchmarks.fake_server import FakeServer, fake_server
from benchmarks.worker import filled
from domain.pace import LARGEST_GROUP
from services.recorder import GATHER_MOST
from storage.database import Database
from tests.delivery_world import settle

MESSAGES = 20_000
PEER_MESSAGES = {
    "aiogram": 6000, "ptb": 1500, "telebot": 4000, "broadcaster": 3000,
    "channel": 10_000, "raw": 10_000, "bare": 10_000,
}  # fmt: skip
FAST, PAID = 20_000.0, 1000.0
"""Paces: more than can be done, and the most that Telegram sells."""
UNBOUND = 1e6
ROUNDS = 3
MOST, MOST_OF_PTB, ASKED_OF_RAW = 0.75, 0.2, 0.55
NAMES = {
    "aiogram": "aiogram, send_message in a pool of 50, records nothing",
    "ptb": "python-telegram-bot as shipped (httpx)",
    "telebot": "pyTelegramBotAPI, asynchronous",
    "broadcaster": "aiogram_broadcaster",
    "channel": "our channel alone in a pool of 50, records nothing",
    "raw": "raw aiohttp, prepared body, outcomes recorded by 500",
    "bare": "the same, records nothing",
}
PACED = {
    "aiogram": f"aiogram, the same, {PAID:.0f}/s",
    "raw": f"raw aiohttp, outcomes recorded, {PAID:.0f}/s",
}
"""Who is also let go at our own pace: to wake for each message costs everybody."""
STEPS = ("reservation", "claim", "record")
SAID = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
Figures = dict[str, list[float]]


async def main(rounds: int = ROUNDS) -> None:
    figures: Figures = {}
    async with fake_server() as server:
        for _ in range(rounds):
            for engine in ENGINES:
                async with fresh(engine, "cost") as database:
                    await settle(database, clock, MESSAGES)
                    if engine == "postgresql":
                        await let_rest(database)
                    await _round(database, server, figures)
                async with filled(engine, "cost_steps", MESSAGES, rate=UNBOUND) as database:
                    for step, used in zip(
                        STEPS, await _run("cost_steps", _url(database), MESSAGES), strict=True
                    ):
                        figures.setdefault(f"{engine} {step}", []).append(used)
    _show({name: statistics.median(values) for name, values in figures.items()})


async def _round(database: Database, server: FakeServer, figures: Figures) -> None:
    """Measure everybody once."""
    engine = database.dialect
    if engine == "sqlite":
        for name, messages in PEER_MESSAGES.items():
            said = await _run("cost_peers", name, server.origin, messages)
            figures.setdefault(name, []).append(said[0])
        for name in PACED:
            said = await _run("cost_peers", name, server.origin, MESSAGES // 4, PAID)
            figures.setdefault(f"{name} paid", []).append(said[0])
    for what, origin, rate, messages in (
        ("fast", server.origin, FAST, MESSAGES),
        ("unsent", "", FAST, MESSAGES),
        ("paid", server.origin, PAID, MESSAGES // 2),
    ):
        cpu, server_cpu, speed = await _run("cost_ours", _url(database), origin, messages, rate)
        figures.setdefault(f"{engine} {what}", []).append(cpu * 1e6)
        figures.setdefault(f"{engine} {what} speed", []).append(speed)
        figures.setdefault(f"{engine} {what} server", []).append(server_cpu * 1e6)


def _url(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


async def _run(module: str, *words: object) -> list[float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"benchmarks.{module}", *map(str, words), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return [float(word) for word in said.split()]


def _show(middle: dict[str, float]) -> None:
    _show_costs(middle)
    _show_steps(middle)
    shipped = max(middle[f"{engine} fast"] for engine in ENGINES) / middle["ptb"]
    show(
        "What a delivery costs, of python-telegram-bot as shipped",
        ("", "of it"),
        [("ours, on the dearer of both databases", f"{shipped:.2f}")],
        bar=f"The same against python-telegram-bot as shipped: at most {MOST_OF_PTB}x",
        reached=f"{shipped:.2f}x",
        met=shipped <= MOST_OF_PTB,
    )


def _show_costs(middle: dict[str, float]) -> None:
    base = middle["aiogram"]
    rows: list[tuple[str, ...]] = [
        (NAMES[name], f"{middle[name]:.0f}", f"{middle[name] / base:.2f}", "", "", "") for name in NAMES
    ]
    rows += [
        (words, f"{middle[f'{name} paid']:.0f}", f"{middle[f'{name} paid'] / base:.2f}", "", "", "")
        for name, words in PACED.items()
    ]
    rows += [
        _ours(middle, engine, what, words)
        for engine in ENGINES
        for what, words in (("fast", "as fast as it goes"), ("paid", f"at {PAID:.0f}/s"))
    ]
    own, server = (
        {engine: middle[f"{engine} fast"] / base for engine in ENGINES},
        middle["postgresql fast server"],
    )
    whole = (middle["postgresql fast"] + server) / base
    paced = [middle[f"{engine} paid"] / middle["aiogram paid"] for engine in ENGINES]
    speeds = " and ".join(f"{middle[f'{engine} fast speed']:,.0f}/s" for engine in ENGINES)
    show(
        "What a delivery costs",
        ("CPU of a message", "us", "of aiogram", "a second", "us in PostgreSQL", "with it, of aiogram"),
        rows,
        bar=(
            "Whole cost of a recorded delivery (claim, send, parse, record) at a high pace, CPU per "
            "message, both on uvloop, against aiogram's send_message in a worker pool that records nothing: at most "
            f"{MOST}x"
        ),
        reached=(
            f"as fast as it goes ({speeds}) {own['sqlite']:.2f}x on SQLite; on PostgreSQL {whole:.2f}x with its own "
            f"processes, {own['postgresql']:.2f}x without; "
            f"at {PAID:.0f}/s, against aiogram let go at that pace, {paced[0]:.2f}x and {paced[1]:.2f}x without them"
        ),
        met=own["sqlite"] <= MOST and whole <= MOST,
        note=(
            "On SQLite the database is in the process that sends; PostgreSQL has processes of its own, in which claim "
            "and record are done, and the last column adds them. How far the limit is there: "
            f"{MOST}x are {MOST * base:.0f} us, PostgreSQL takes {server:.0f} of them and our channel alone "
            f"{middle['channel']:.0f}, which leaves {MOST * base - server - middle['channel']:.0f} for the engine, "
            f"whose share is {middle['postgresql fast'] - middle['channel']:.0f}. At {PAID:.0f}/s groups and batches are smaller "
            "and the process sleeps and wakes between them, so that a delivery costs more, and the worker is idle for "
            "most of the time."
        ),
    )


def _ours(middle: dict[str, float], engine: str, what: str, words: str) -> tuple[str, ...]:
    base, key = middle["aiogram"], f"{engine} {what}"
    own, server = middle[key], middle[f"{key} server"]
    beside = (f"{server:.0f}", f"{(own + server) / base:.2f}") if engine == "postgresql" else ("", "")
    name = f"ours on {SAID[engine]}, {words}: claimed, sent, parsed, recorded"
    return (name, f"{own:.0f}", f"{own / base:.2f}", f"{middle[f'{key} speed']:.0f}", *beside)


def _show_steps(middle: dict[str, float]) -> None:
    """Take the cost apart, by what it is without one step or another."""
    base, raw, bare, channel = (middle[name] for name in ("aiogram", "raw", "bare", "channel"))
    alone = {engine: [middle[f"{engine} {step}"] for step in STEPS] for engine in ENGINES}
    rest = {engine: middle[f"{engine} unsent"] - sum(alone[engine]) for engine in ENGINES}
    beside = {engine: middle[f"{engine} fast"] - middle[f"{engine} unsent"] - channel for engine in ENGINES}
    parts = [
        ("raw aiohttp, prepared body, records nothing", dict.fromkeys(ENGINES, bare)),
        ("our channel over it: through the request of python-telegram-bot to an outcome", dict.fromkeys(ENGINES, channel - bare)),
        *(
            (words, {engine: alone[engine][place] for engine in ENGINES})
            for place, words in enumerate(
                (
                    f"reservation of the pace, in groups of {LARGEST_GROUP}",
                    f"claim, in groups of {LARGEST_GROUP}",
                    f"record, in batches of {GATHER_MOST}",
                )
            )
        ),
        ("the rest of the engine: slices and their jobs, an instant and a task for each send", rest),
        ("together, more than the sum of the parts", beside),
        ("a recorded delivery", {engine: middle[f"{engine} fast"] for engine in ENGINES}),
    ]  # fmt: skip
    gap = [f"{(middle[f'{engine} fast'] - raw) / base:.2f}x on {SAID[engine]}" for engine in ENGINES]
    show(
        "What separates a delivery from raw aiohttp",
        ("CPU of a message, as fast as it goes", *(f"{SAID[engine]}, us" for engine in ENGINES)),
        [(words, *(f"{cost[engine]:.0f}" for engine in ENGINES)) for words, cost in parts],
        note=(
            f"Raw aiohttp with batch recording was thought to be {ASKED_OF_RAW}x of aiogram and is {raw / base:.2f}x; "
            f"ours is {' and '.join(gap)} above it. Each part is measured with the others switched off: the channel "
            "in a pool of 50, the engine with a channel that answers at once, its statements alone. The claim looks "
            "once more at dispatch, link, topic, quiet hours, rest days and weekly cap before every message."
        ),
    )


if __name__ == "__main__":
    run(partial(main, *map(int, sys.argv[1:2])))
