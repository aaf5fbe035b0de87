import asyncio
import time

import pytest

from services import valve
from services.valve import FIRST, LEAST, MOST, Valve


async def hold(gate: Valve, inside: set[int], number: int, leave: asyncio.Event) -> None:
    await gate.enter()
    try:
        inside.add(number)
        await leave.wait()
    finally:
        inside.discard(number)
        gate.leave()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_widens_while_some_wait_and_the_loop_has_time():
    gate, inside, leave = Valve(), set[int](), asyncio.Event()
    sends = [asyncio.create_task(hold(gate, inside, number, leave)) for number in range(2 * FIRST)]
    await settled()
    assert len(inside) == FIRST
    gate.adjust(busy=0.1)
    await settled()
    assert FIRST < len(inside) == gate.width < 2 * FIRST
    gate.adjust(busy=0.1)
    await settled()
    assert len(inside) == 2 * FIRST
    width = gate.width
    gate.adjust(busy=0.1)
    assert gate.width == width < MOST, "nobody waits: it is wide enough"
    leave.set()
    await asyncio.gather(*sends)
    assert not inside


def test_it_narrows_when_the_loop_is_busy_for_long_and_not_for_a_moment():
    gate = Valve()
    for busy in (1.0, 0.2, 0.2) * 20:
        gate.adjust(busy)
    assert gate.width == FIRST
    for _ in range(60):
        gate.adjust(busy=0.95)
    assert gate.width == LEAST, "never narrower"


async def test_who_gives_up_waiting_or_was_just_let_in_leaves_the_place_to_the_next():
    gate, inside, leave = Valve(), set[int](), asyncio.Event()
    sends = [asyncio.create_task(hold(gate, inside, number, leave)) for number in range(FIRST + 3)]
    await settled()
    sends[FIRST].cancel()
    await settled()
    sends[0].cancel()  # lets in the next, which is cancelled before it gets to run
    await asyncio.sleep(0)
    sends[FIRST + 1].cancel()
    await settled()
    assert FIRST + 2 in inside
    leave.set()
    await asyncio.gather(*sends, return_exceptions=True)
    async with asyncio.timeout(1):
        for _ in range(2 * FIRST):
            await gate.enter()
            gate.leave()


async def test_it_looks_for_itself_how_busy_the_loop_is(monkeypatch: pytest.MonkeyPatch):
    seen: list[float] = []
    monkeypatch.setattr(valve, "TICK", 0.005)
    gate = Valve()
    monkeypatch.setattr(gate, "adjust", seen.append)
    await gate.enter()
    end = time.thread_time() + 0.03
    while time.thread_time() < end:
        await asyncio.sleep(0)
    computing = max(seen)
    await asyncio.sleep(0.03)
    gate.leave()
    assert computing > min(seen[-3:])
    await asyncio.sleep(0.02)
    over = len(seen)
    await asyncio.sleep(0.02)
    assert len(seen) == over, "it looks only while something is under way"


async def test_once_opened_it_keeps_nobody_waiting_however_busy_the_loop_is():
    gate, inside, leave = Valve(), set[int](), asyncio.Event()
    sends = [asyncio.create_task(hold(gate, inside, number, leave)) for number in range(2 * FIRST)]
    await settled()
    gate.open()
    gate.adjust(busy=1.0)
    sends += [
        asyncio.create_task(hold(gate, inside, number, leave)) for number in range(2 * FIRST, 3 * FIRST)
    ]
    await settled()
    assert len(inside) == 3 * FIRST
    leave.set()
    await asyncio.gather(*sends)
