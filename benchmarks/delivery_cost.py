"""What a delivery costs, from its row to its recorded outcome, beside peers that only send."""

import asyncio
import statistics
import sys
from pathlib import Path

from benchmarks.common import fresh, run, show
from benchmarks.cost_ours import clock
from benchmarks.fake_server import FakeServer, fake_server
from storage.database import Database
from tests.delivery_world import settle

MESSAGES = 20_000
PEER_MESSAGES = {"aiogram": 6000, "ptb": 1500, "telebot": 4000, "broadcaster": 3000, "raw": 10_000}
FAST, PAID = 20_000.0, 1000.0
ROUNDS = 3
NAMES = {
    "aiogram": "aiogram, send_message in a pool of 50, records nothing",
    "ptb": "python-telegram-bot as shipped (httpx)",
    "telebot": "pyTelegramBotAPI, asynchronous",
    "broadcaster": "aiogram_broadcaster",
    "raw": "raw aiohttp, prepared body, outcomes recorded by 500",
}
Figures = dict[str, list[float]]


async def main() -> None:
    figures: Figures = {}
    async with fake_server() as server:
        for _ in range(ROUNDS):
            for engine in ("sqlite", "postgresql"):
                async with fresh(engine, "cost") as database:
                    await settle(database, clock, MESSAGES)
                    await _round(database, server, figures)
    _show(figures)


async def _round(database: Database, server: FakeServer, figures: Figures) -> None:
    """Measure everybody once, one after the other, so that a noisy minute meets them alike."""
    url, engine = database.url.render_as_string(hide_password=False), database.dialect
    if engine == "sqlite":
        for name, messages in PEER_MESSAGES.items():
            said = await _run("cost_peers", name, server.origin, messages)
            figures.setdefault(name, []).append(said[0])
    for what, rate, messages in (("fast", FAST, MESSAGES), ("paid", PAID, MESSAGES // 2)):
        busy = _server_cpu()
        cpu, speed = await _run("cost_ours", url, server.origin, messages, rate)
        figures.setdefault(f"{engine} {what}", []).append(cpu * 1e6)
        figures.setdefault(f"{engine} {what} speed", []).append(speed)
        figures.setdefault(f"{engine} {what} server", []).append((_server_cpu() - busy) / messages * 1e6)


async def _run(module: str, *words: object) -> list[float]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"benchmarks.{module}", *map(str, words), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await child.communicate()
    return [float(word) for word in said.split()]


def _server_cpu() -> float:
    """Return the seconds of CPU that PostgreSQL's processes have used; those that ended count with their parent."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition(") ")
        except OSError:
            continue
        if name.endswith("(postgres"):
            ticks += sum(int(word) for word in rest.split()[11:15])
    return ticks / 100


def _show(figures: Figures) -> None:
    middle = {name: statistics.median(values) for name, values in figures.items()}
    base, least = middle["aiogram"], middle["raw"]
    rows = [(NAMES[name], f"{middle[name]:.0f}", f"{middle[name] / base:.2f}", "", "") for name in NAMES]
    for engine in ("sqlite", "postgresql"):
        for what, words in (("fast", "as fast as it goes"), ("paid", "at 1000/s")):
            key = f"{engine} {what}"
            server = f"{middle[f'{key} server']:.0f}" if engine == "postgresql" else ""
            own, speed = middle[key], middle[f"{key} speed"]
            name = f"ours on {engine}, {words}: claimed, sent, parsed, recorded"
            rows.append((name, f"{own:.0f}", f"{own / base:.2f}", f"{speed:.0f}", server))
    ratio, on_server = middle["sqlite fast"] / base, middle["postgresql fast"] / base
    shipped = max(middle["sqlite fast"], middle["postgresql fast"]) / middle["ptb"]
    columns = ("CPU of a message", "us", "of aiogram", "a second", "us in the server")
    show(
        "What a delivery costs",
        columns,
        rows,
        bar="Whole cost of a recorded delivery at a high pace: at most 0.75 of aiogram's send_message",
        reached=f"{ratio:.2f} on SQLite, {on_server:.2f} on PostgreSQL",
        met=max(ratio, on_server) <= 0.75,
        note=(
            f"All on uvloop. Raw aiohttp with batch recording is {least / base:.2f}; what separates ours from it is "
            f"{middle['sqlite fast'] - least:.0f} us: python-telegram-bot's layer over the same session, a task and a "
            "reserved instant for each send, and the claim, which looks once more at dispatch, link, topic, quiet "
            "hours, rest days and weekly cap before every message."
        ),
    )
    show(
        "What a delivery costs, of python-telegram-bot as shipped",
        ("", "of it"),
        [("ours, on the dearer of both databases", f"{shipped:.2f}")],
        bar="The same against python-telegram-bot as shipped: at most 0.2",
        reached=f"{shipped:.2f}",
        met=shipped <= 0.2,
    )


if __name__ == "__main__":
    run(main)
