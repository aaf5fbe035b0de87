"""A town in which one asks to send a notice another way, and a second person decides."""

from typing import ClassVar

import pytest

from domain.refusals import NotAllowed, NotFound
from domain.send_requests import RequestNeedsAnother, RequestState, SendRequest, Way
from tests.notice_world import Bridge

AUTHOR, SECOND = "branch_secretary", "county_secretary"


class RequestDesk:
    """Asks one way, for people of the northern branch."""

    way: ClassVar[Way]
    text: ClassVar[str]
    seen: ClassVar[int] = 0
    """The price that was seen, in Stars."""

    def __init__(self, town: Bridge) -> None:
        self.town = town
        self.requests = town.notices.requests

    async def asked(self, text: str = "", who: str = AUTHOR) -> SendRequest:
        made = await self.town.drafted(who, "north", text=text or self.text)
        return await self.ask(who, made.id)

    async def ask(self, who: str, notice_id: int) -> SendRequest:
        return await self.requests.ask(await self.town.actor(who), notice_id, self.way, self.seen)

    async def approve(self, asked: SendRequest, who: str = SECOND) -> SendRequest:
        return await self.requests.approve(await self.town.actor(who), asked.id)

    async def state(self, asked: SendRequest) -> RequestState:
        return (await self.requests.for_actor(await self.town.actor(AUTHOR), asked.id)).state

    async def is_decided_by_a_second_person_only(self, asked: SendRequest) -> None:
        """See that nobody else approves, refuses or takes back, and nobody else asks for this notice."""
        for who in (AUTHOR, "wang", "worker", "observer", "former", "foreign_secretary"):
            actor = await self.town.actor(who)
            for step in (self.requests.approve, self.requests.refuse):
                with pytest.raises((NotFound, NotAllowed, RequestNeedsAnother)):
                    await step(actor, asked.id)
        for who in (SECOND, "foreign_secretary", "wang"):
            with pytest.raises((NotFound, NotAllowed)):
                await self.requests.withdraw(await self.town.actor(who), asked.id)
            with pytest.raises((NotFound, NotAllowed)):
                await self.ask(who, asked.notice.id)
        assert await self.state(asked) is RequestState.ASKED
