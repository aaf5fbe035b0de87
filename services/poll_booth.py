"""The booth: a member's side of polls. Who was asked may vote, suggest, and see the results.

A cast anonymous vote is one transaction: that they took part, and the vote under seal. They share no key,
and once the vote is counted nothing is left of the second.
"""

from dataclasses import dataclass, replace

import orjson

from domain.clock import Clock
from domain.organisations import Organisation, chain_of, contains
from domain.permissions import Actor
from domain.poll_counting import Count, ballot, gather, together, within
from domain.polls import (
    ENDED,
    SMALLEST,
    NoSuggestions,
    Poll,
    PollState,
    VoteIsFinal,
    check_choice,
    check_open,
    check_suggestion,
    chosen_in,
    mask_of,
)
from domain.refusals import NotFound
from services import killpoints
from services.walls import PAGE
from storage import ballots, organisations, polls
from storage.database import Database, Session
from storage.sealing import Sealer

ALL_AT_ONCE = 50
"""Open polls that are listed; nobody is asked so much at a time."""


@dataclass(frozen=True, slots=True)
class Card:
    """A poll in a member's list."""

    poll: Poll
    voted: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A poll before a member: what they chose (by name only), and the suggestion that waits."""

    poll: Poll
    voted: bool
    chosen: frozenset[int]
    suggestion: str | None


@dataclass(frozen=True, slots=True)
class AreaResult:
    """How an organisation's people voted (`None`: everybody); no count means fewer than five to tell of."""

    organisation: Organisation | None
    count: Count | None


class Booth:
    """Takes votes and suggestions, and shows results by the member's own chain of organisations."""

    def __init__(self, *, database: Database, clock: Clock, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer

    async def open_for(self, actor: Actor) -> list[Card]:
        """Return what the member is asked now; what is not answered comes first."""
        return (await self._cards(actor, [PollState.OPEN], None, 0, ALL_AT_ONCE))[0]

    async def answered(self, actor: Actor, page: int = 0) -> tuple[list[Card], bool]:
        """Return a page of the polls the member took part in, and whether more follow."""
        states = [PollState.CLOSING, *ENDED, PollState.OPEN]
        return await self._cards(actor, states, True, page, PAGE)

    async def past(self, actor: Actor, page: int = 0) -> tuple[list[Card], bool]:
        """Return a page of the published results, and whether more follow."""
        return await self._cards(actor, [PollState.PUBLISHED], None, page, PAGE)

    async def sheet(self, actor: Actor, poll_id: int) -> Sheet:
        """Return a poll as it stands for this member; `NotFound` for who was not asked."""
        async with self._database.read() as session:
            return self._sheet(await self._place(session, actor, poll_id))

    async def vote(self, actor: Actor, poll_id: int, chosen: frozenset[int]) -> Sheet:
        """Vote. By name it may be changed until the poll closes; an anonymous vote is final."""
        async with self._database.begin() as session:
            place = await self._place(session, actor, poll_id, hold=True)
            found = place.poll
            check_open(found, self._clock())
            mask = mask_of(check_choice(found, chosen))
            fresh = await ballots.take_part(session, poll_id, actor.member_id)
            if found.anonymous:
                if not fresh:
                    raise VoteIsFinal
                await ballots.cast(
                    session, poll_id, _place(found, actor), self._seal(mask.to_bytes(2, "big"), poll_id)
                )
            else:
                await ballots.choose(session, poll_id, actor.member_id, _place(found, actor), mask)
        killpoints.reach("after_vote_commit")
        return self._sheet(replace(place, took_part=True, chosen=None if found.anonymous else mask))

    async def suggest(self, actor: Actor, poll_id: int, text: str) -> Sheet:
        """Leave a suggestion with a poll, or replace one's own; it is handed on when the poll closes."""
        suggestion = check_suggestion(text)
        async with self._database.begin() as session:
            place = await self._place(session, actor, poll_id, hold=True)
            found = place.poll
            check_open(found, self._clock())
            if not found.suggestions:
                raise NoSuggestions
            name = None if found.anonymous else actor.member_id
            sealed = self._seal(orjson.dumps({"member": name, "text": suggestion}), poll_id)
            owner = self._owner(found, actor)
            await ballots.replace_suggestion(session, poll_id, owner, _place(found, actor), sealed)
        return self._sheet(replace(place, suggestion=sealed))

    async def results(self, actor: Actor, poll_id: int) -> list[AreaResult]:
        """Return the result of everybody, then of the member's own organisations from above down to their own.

        An area is left out that is the same as the one before it; fewer than five are not told.
        """
        async with self._database.read() as session:
            found = await self._asked(session, actor, poll_id)
            if found.state is not PollState.PUBLISHED and not (found.live and found.state is PollState.OPEN):
                raise NotFound
            cells = await counted(session, found)
            nodes = await organisations.of_ids(session, chain_of(actor.home_path))
        own = [node for node in nodes.values() if contains(found.sender.path, node.path)]
        shown = [AreaResult(None, total(cells, len(found.options)))]
        for node in sorted(own, key=lambda each: len(each.path)):
            count = within(cells, node.path)
            if count != shown[-1].count or node.id == actor.home_id:
                shown.append(AreaResult(node, count))
        return shown

    async def _cards(
        self, actor: Actor, states: list[PollState], took_part: bool | None, page: int, size: int
    ) -> tuple[list[Card], bool]:
        async with self._database.read() as session:
            found = await polls.asked(
                session, actor.member_id, states, took_part=took_part, offset=page * size, limit=size + 1
            )
        return [Card(poll, voted) for poll, voted in found[:size]], len(found) > size

    async def _asked(self, session: Session, actor: Actor, poll_id: int) -> Poll:
        return (await self._place(session, actor, poll_id)).poll

    async def _place(
        self, session: Session, actor: Actor, poll_id: int, *, hold: bool = False
    ) -> polls.Place:
        owner = owner_of(self._sealer, poll_id, actor.member_id)
        place = await polls.place_of(session, poll_id, actor.member_id, owner, hold=hold)
        if place is None:
            raise NotFound
        return place

    def _sheet(self, place: polls.Place) -> Sheet:
        sealed = place.suggestion
        return Sheet(
            poll=place.poll,
            voted=place.took_part,
            chosen=chosen_in(place.chosen or 0),
            suggestion=None if sealed is None else text_in(self._sealer, sealed, place.poll.id)[1],
        )

    def _owner(self, found: Poll, actor: Actor) -> bytes:
        return owner_of(self._sealer, found.id, actor.member_id)

    def _seal(self, data: bytes, poll_id: int) -> bytes:
        return self._sealer.seal(data, seal_context(poll_id))


def owner_of(sealer: Sealer, poll_id: int, member_id: int) -> bytes:
    """Return by what a member's waiting suggestion is found."""
    return sealer.blind_index(f"suggestion:{poll_id}:{member_id}")


def seal_context(poll_id: int) -> str:
    return f"poll:{poll_id}"


def text_in(sealer: Sealer, sealed: bytes, poll_id: int) -> tuple[int | None, str]:
    """Open a sealed suggestion: who left it (by name only), and what it says."""
    opened = orjson.loads(sealer.open(sealed, seal_context(poll_id)))
    return opened["member"], opened["text"]


async def counted(session: Session, found: Poll) -> dict[str, Count]:
    """Return a poll's cells: as they were counted, or as they would be now for one that is shown live."""
    if found.state is PollState.OPEN and not found.anonymous:
        return gather(await loose_named(session, found), found.sender.path)
    return await ballots.cells(session, found.id)


async def loose_named(session: Session, found: Poll) -> dict[str, Count]:
    """Count the named votes by organisation, however few they are there."""
    loose: dict[str, Count] = {}
    for path, mask, times in await ballots.named(session, found.id):
        count = ballot(mask, len(found.options), times)
        loose[path] = loose[path] + count if path in loose else count
    return loose


def total(cells: dict[str, Count], options: int) -> Count | None:
    """Return the result of everybody; `None` for fewer than five."""
    count = together(cells.values(), options)
    return count if count.voted >= SMALLEST else None


def _place(found: Poll, actor: Actor) -> int:
    """Return where a vote is counted: at the member's home, or at the sender's if they have moved away."""
    return actor.home_id if contains(found.sender.path, actor.home_path) else found.sender.organisation_id
