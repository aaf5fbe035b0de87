"""The booth: a member's side of polls. Who was asked may vote, suggest, and see the results.

A cast anonymous vote is one transaction: that they took part, and the vote under seal. They share no key,
and once the vote is counted nothing is left of the second.
"""

from collections.abc import Collection, Sequence
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
from domain.refusals import NotFound, Refusal
from services import killpoints
from services.together import Together
from services.walls import PAGE
from storage import ballots, organisations, polls
from storage.ballots import NamedVote, SealedVote
from storage.database import Database, Effect, Session, takes_effect, with_each_change
from storage.sealing import Sealer

ALL_AT_ONCE = 50
"""Open polls that are listed; nobody is asked so much at a time."""


Seat = tuple[int, int]
"""A poll and a member who was asked, or was not."""


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


@dataclass(frozen=True, slots=True)
class Cast:
    """A vote as it is handed in; `effect` is what else is written of whatever brought it."""

    seat: Seat
    actor: Actor
    chosen: frozenset[int]
    effect: Effect | None


class Booth:
    """Takes votes and suggestions, and shows results by the member's own chain of organisations."""

    def __init__(self, *, database: Database, clock: Clock, sealer: Sealer) -> None:
        self._database = database
        self._clock = clock
        self._sealer = sealer
        self._looks: Together[Seat, Sheet] = Together(self._look)
        self._votes: Together[Cast, Sheet] = Together(self._cast, apart=lambda cast: cast.seat)
        self._one_press: set[int] = set()

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
        return await self._looks.ask((poll_id, actor.member_id))

    def takes_one_press(self, poll_id: int) -> bool:
        """Say whether a press on an option is a vote: a poll by name with one choice, seen here since it opened.

        Neither changes any more then, and a vote looks at all else itself, so that nobody need look before.
        """
        return poll_id in self._one_press

    async def vote(self, actor: Actor, poll_id: int, chosen: frozenset[int]) -> Sheet:
        """Vote. By name it may be changed until the poll closes; an anonymous vote is final.

        Who votes while others' votes are being written is written with all who do, in one transaction.
        """
        cast = Cast((poll_id, actor.member_id), actor, chosen, with_each_change.get())
        sheet = await self._votes.ask(cast)
        killpoints.reach("after_vote_commit")
        return sheet

    async def suggest(self, actor: Actor, poll_id: int, text: str) -> Sheet:
        """Leave a suggestion with a poll, or replace one's own; it is handed on when the poll closes."""
        suggestion = check_suggestion(text)
        async with self._database.begin() as session:
            sheet = await self._asked(session, actor, poll_id, hold=True)
            found = sheet.poll
            check_open(found, self._clock())
            if not found.suggestions:
                raise NoSuggestions
            name = None if found.anonymous else actor.member_id
            sealed = self._seal(orjson.dumps({"member": name, "text": suggestion}), poll_id)
            owner = owner_of(self._sealer, poll_id, actor.member_id)
            await ballots.replace_suggestion(session, poll_id, owner, _place(found, actor), sealed)
        return replace(sheet, suggestion=suggestion)

    async def results(self, actor: Actor, poll_id: int) -> list[AreaResult]:
        """Return the result of everybody, then of the member's own organisations from above down to their own.

        An area is left out that is the same as the one before it; fewer than five are not told.
        """
        async with self._database.read() as session:
            found = (await self._asked(session, actor, poll_id)).poll
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

    async def _look(self, seats: Sequence[Seat]) -> list[Sheet | Exception]:
        async with self._database.read() as session:
            sheets = await self._sheets(session, seats)
        return [sheets.get(seat) or NotFound() for seat in seats]

    async def _cast(self, casts: Sequence[Cast]) -> list[Sheet | Exception]:
        """Write down votes of different seats; who may not vote is told why, and the others' votes stand."""
        async with self._database.begin() as session:
            sheets = await self._sheets(session, [cast.seat for cast in casts], hold=True)
            answers: list[Sheet | Exception] = [self._voted(sheets.get(cast.seat), cast) for cast in casts]
            votes = [
                (cast, sheet) for cast, sheet in zip(casts, answers, strict=True) if isinstance(sheet, Sheet)
            ]
            if votes:
                await self._keep(session, votes)
        return answers

    def _voted(self, sheet: Sheet | None, cast: Cast) -> Sheet | Refusal:
        """Return a sheet as it is with this vote, or why there is none."""
        if sheet is None:
            return NotFound()
        try:
            check_open(sheet.poll, self._clock())
            chosen = check_choice(sheet.poll, cast.chosen)
        except Refusal as refusal:
            return refusal
        if sheet.poll.anonymous:
            return VoteIsFinal() if sheet.voted else replace(sheet, voted=True)
        return replace(sheet, voted=True, chosen=chosen)

    async def _keep(self, session: Session, votes: Sequence[tuple[Cast, Sheet]]) -> None:
        fresh = await ballots.take_part(session, [cast.seat for cast, _ in votes])
        named, sealed = [], []
        for cast, sheet in votes:
            takes_effect(session, cast.effect)
            place, mask = _place(sheet.poll, cast.actor), mask_of(cast.chosen)
            if not sheet.poll.anonymous:
                named.append(NamedVote(*cast.seat, place, mask))
            elif cast.seat in fresh:
                hidden = self._seal(mask.to_bytes(2, "big"), sheet.poll.id)
                sealed.append(SealedVote(sheet.poll.id, place, hidden))
            else:
                raise VoteIsFinal  # cast elsewhere meanwhile: of those who vote at once, each is looked at alone
        if named:
            await ballots.choose(session, named)
        if sealed:
            await ballots.cast(session, sealed)

    async def _asked(self, session: Session, actor: Actor, poll_id: int, *, hold: bool = False) -> Sheet:
        seat = (poll_id, actor.member_id)
        sheet = (await self._sheets(session, [seat], hold=hold)).get(seat)
        if sheet is None:
            raise NotFound
        return sheet

    async def _sheets(
        self, session: Session, seats: Collection[Seat], *, hold: bool = False
    ) -> dict[Seat, Sheet]:
        """Return what those who were asked have before them; on `hold`, their polls stay as they are."""
        places = await polls.places_of(session, seats, hold=hold)
        owners = {
            seat: owner_of(self._sealer, *seat) for seat, place in places.items() if place.poll.suggestions
        }
        for place in places.values():
            if place.poll.state is PollState.OPEN and not (place.poll.anonymous or place.poll.multiple):
                self._one_press.add(place.poll.id)
        waiting = await ballots.suggestions(session, {poll_id for poll_id, _ in owners}, owners.values())
        return {
            seat: Sheet(
                poll=place.poll,
                voted=place.took_part,
                chosen=chosen_in(place.chosen or 0),
                suggestion=self._suggestion(waiting.get(owners.get(seat, b"")), place.poll.id),
            )
            for seat, place in places.items()
        }

    def _suggestion(self, sealed: bytes | None, poll_id: int) -> str | None:
        return None if sealed is None else text_in(self._sealer, sealed, poll_id)[1]

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
