"""Forged taps: whatever a modified client sends is answered, and does nothing it may not."""

from typing import Any

import pytest
from sqlmodel import select

from domain.accounts import LinkState
from storage.tables import AccountLinkRow, InvitationRow, MemberRow
from tests.fakes import World
from tests.town import Town

STEPS = {
    "go": ["menu", "nowhere", "__class__", "invite", "approvals"],
    "join": ["look:x", "accept:x", "confirm:x", "language:x", "not_me:x", "accept:" + "A" * 26],
    "bye": ["1x", "0"],
    "ask": [""],
    "lang": ["en", "tlh", "../../etc"],
    "inv": ["page:-1", "page:99999999999", "choose:0", "link:-5", "nonsense:1", "paper:x"],
    "wait": ["page:-1", "open:0", "yes:0", "no:99999", "ask_yes:1", "nonsense:1", "yes:" + "9" * 25],
    "org": ["0:0", "1:-1", "x:y", "9" * 25 + ":0", "1:" + "9" * 25],
    "topic": ["0:1", "x:1", "9:9", "9" * 25 + ":1"],
    "unknown": ["", "1"],
}
FORGED = [f"{prefix}:{rest}" if rest else prefix for prefix, more in STEPS.items() for rest in more]


async def everything(town: Town) -> list[Any]:
    async with town.database.read() as session:
        links = (await session.exec(select(AccountLinkRow))).all()
        invitations = (await session.exec(select(InvitationRow))).all()
        stopped = (await session.exec(select(MemberRow.stopped_at))).all()
    return [*(link.model_dump() for link in links), *(one.model_dump() for one in invitations), *stopped]


@pytest.mark.parametrize("who", [None, "wang", "branch_secretary"])
async def test_every_forged_tap_is_answered_and_changes_nothing(world: World, town: Town, who: str | None):
    if who is not None:
        await town.link(who, 7)
    await town.link("sun", 8, LinkState.PENDING)
    chat = world.chat(7)
    await chat.say("/start")
    before = await everything(town)
    for data in FORGED:
        answered = len(world.session.calls)
        await chat.tap(data)
        assert len(world.session.calls) > answered, data
    assert await everything(town) == before
