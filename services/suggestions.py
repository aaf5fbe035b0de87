"""Suggestions: made by members at any time, grouped by what they say, and answered once for a whole group."""

import asyncio
from dataclasses import dataclass

import structlog

from domain.clock import Clock, day_of
from domain.messages import Button, Content
from domain.organisations import Organisation, chain_of
from domain.permissions import Actor
from domain.polls import SMALLEST
from domain.refusals import NotFound
from domain.richtext import join, styled
from domain.suggestions import MOST_A_DAY, Group, Grouping, TooManySuggestions, check_text
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from services.suggestion_desk import SuggestionDesk
from services.walls import PAGE
from storage import organisations, suggestion_groups, suggestions
from storage.database import Database
from storage.suggestions import NewSuggestion, Own

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Suggestions that are grouped in one transaction."""
MINE = "go:suggest"
"""Data of the button below an answer: it leads to one's own suggestions."""


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """The answer to a group of a poll's suggestions; no number means fewer than five."""

    title: str
    number: int | None
    answer: str


class Suggestions(SuggestionDesk):
    """A member's own suggestions, with the desk of those who answer."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery) -> None:
        super().__init__(database=database, clock=clock, audit=audit, delivery=delivery)
        delivery.sources[suggestions.SOURCE] = self.content

    async def addressees(self, actor: Actor) -> list[Organisation]:
        """Return to whom a member may suggest: their own organisation first, then those above it."""
        async with self._database.read() as session:
            nodes = await organisations.of_ids(session, chain_of(actor.home_path))
        return [nodes[number] for number in reversed(chain_of(actor.home_path)) if number in nodes]

    async def suggest(self, actor: Actor, organisation_id: int, text: str) -> None:
        """Keep a member's suggestion by name; the same text on the same day is one."""
        if organisation_id not in chain_of(actor.home_path):
            raise NotFound
        new = NewSuggestion(organisation_id, None, actor.member_id, check_text(text), day_of(self._clock()))
        async with self._database.begin() as session:
            if await suggestions.same(session, new) is not None:
                return
            if await suggestions.count_on(session, actor.member_id, new.day) >= MOST_A_DAY:
                raise TooManySuggestions(most=MOST_A_DAY)
            await suggestions.add_many(session, [new])

    async def mine(self, actor: Actor, page: int = 0) -> tuple[list[Own], bool]:
        """Return a page of what a member suggested by name, with the answers, and whether more follow."""
        async with self._database.read() as session:
            found = await suggestions.own(session, actor.member_id, offset=page * PAGE, limit=PAGE + 1)
        return found[:PAGE], len(found) > PAGE

    async def answers_for_poll(self, poll_id: int) -> tuple[PublicAnswer, ...]:
        """Return what was answered to a poll's suggestions, for everybody who sees its result."""
        async with self._database.read() as session:
            found = await suggestion_groups.answered_in_poll(session, poll_id)
        return tuple(
            PublicAnswer(title, number if number >= SMALLEST else None, answer)
            for title, number, answer in found
        )

    async def content(self, group_id: int, language: str) -> Content:
        """Make the answer as the authors of a group get it."""
        async with self._database.read() as session:
            found = await suggestion_groups.read_group(session, group_id)
        if found is None:
            raise NotFound
        return answer_content(found, found.answer, language)

    # The clock

    async def tick(self) -> None:
        """Group what is new; any process may, and what has a group keeps it."""
        async with self._database.read() as session:
            places = await suggestion_groups.with_ungrouped(session)
        for organisation_id in places:
            try:
                while await self._group_some(organisation_id):
                    pass
            except Exception:  # one place that fails must not keep the others waiting
                log.exception("suggestions not grouped", organisation=organisation_id)

    async def _group_some(self, organisation_id: int) -> bool:
        """Group the next of a place: compared beside the loop, then written if nobody else has meanwhile."""
        async with self._database.read() as session:
            known = await suggestion_groups.open_texts(session, organisation_id)
            fresh = await suggestion_groups.ungrouped(session, organisation_id, AT_ONCE)
        plan = await asyncio.to_thread(_plan, known, fresh)
        async with self._database.begin() as session:
            await suggestion_groups.lock(session, organisation_id)
            waiting = dict(await suggestion_groups.ungrouped(session, organisation_id, AT_ONCE))
            open_ones = {number for number, _ in await suggestion_groups.open_texts(session, organisation_id)}
            made: dict[int, int] = {}
            for suggestion_id, group_id in plan:
                if suggestion_id not in waiting:
                    continue
                into = made.get(group_id, group_id)
                if into not in open_ones:
                    text = waiting[suggestion_id]
                    into = made[group_id] = await suggestion_groups.new_group(session, organisation_id, text)
                    open_ones.add(into)
                await suggestion_groups.put(session, suggestion_id, into)
        return len(fresh) == AT_ONCE


def _plan(known: list[tuple[int, str]], fresh: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """Return (suggestion, group) for what is new; a group that is to be made has a number below zero."""
    grouping = Grouping(known)
    plan: list[tuple[int, int]] = []
    for at, (suggestion_id, text) in enumerate(fresh, start=1):
        found = grouping.find(text)
        group_id = -at if found is None else found
        grouping.add(group_id, text)
        plan.append((suggestion_id, group_id))
    return plan


def answer_content(found: Group, answer: str, language: str) -> Content:
    """Word an answer: what was suggested, what is answered, and by which organisation."""
    words = speak(language)
    name = found.organisation_en if language == "en" and found.organisation_en else found.organisation
    text = join(
        styled(words("suggestions.told.title"), "bold"),
        "\n\n",
        styled(f"“{found.title}”", "italic"),
        f"\n\n{answer}\n\n",
        styled(words("suggestions.told.footer", organisation=name), "italic"),
    )
    return Content(text.text, text.entities, keyboard=((Button(words("suggestions.told.button"), MINE),),))
