"""Suggestions: made by members at any time, grouped by what they say, and answered once for a whole group."""

import asyncio
from dataclasses import dataclass

import structlog

from domain.clock import Clock, day_of
from domain.messages import Button, Content
from domain.organisations import Organisation, chain_of
from domain.permissions import Action, Actor
from domain.polls import SMALLEST
from domain.refusals import NotFound
from domain.richtext import join, styled
from domain.suggestions import (
    MOST_A_DAY,
    Group,
    GroupAnswered,
    Grouping,
    GroupState,
    NotInOnePlace,
    Suggestion,
    TooManySuggestions,
    check_answer,
    check_tag,
    check_text,
)
from locales import speak
from services.audit import Audit
from services.delivery import Delivery
from services.walls import PAGE, paths_of, require
from storage import organisations, suggestions
from storage.database import Database, Session
from storage.suggestions import NewSuggestion, Own

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Suggestions that are grouped in one transaction."""
MOST_TAGS = 12
MINE = "go:suggest"
"""Data of the button below an answer: it leads to one's own suggestions."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What groups are looked for: in a state, with a tag, out of a poll."""

    state: GroupState | None = GroupState.OPEN
    tag: str = ""
    poll_id: int | None = None


@dataclass(frozen=True, slots=True)
class PublicAnswer:
    """The answer to a group of a poll's suggestions; no number means fewer than five."""

    title: str
    number: int | None
    answer: str


class Suggestions:
    """A member's own suggestions, and the desk of those who answer for an organisation or one above it."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery
        delivery.sources[suggestions.SOURCE] = self.content

    # A member's side

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
            found = await suggestions.answered_in_poll(session, poll_id)
        return tuple(
            PublicAnswer(title, number if number >= SMALLEST else None, answer)
            for title, number, answer in found
        )

    # The desk

    def may_handle(self, actor: Actor) -> bool:
        return actor.may_somewhere(Action.HANDLE_SUGGESTIONS, day_of(self._clock()))

    async def groups(self, actor: Actor, wish: Wish, page: int = 0) -> tuple[list[Group], bool]:
        """Return a page of the groups of one's subtree, the largest first, and whether more follow."""
        paths = paths_of(actor, Action.HANDLE_SUGGESTIONS, self._clock())
        async with self._database.read() as session:
            found = await suggestions.groups(
                session,
                paths,
                state=wish.state,
                tag=wish.tag,
                poll_id=wish.poll_id,
                offset=page * PAGE,
                limit=PAGE + 1,
            )
        return found[:PAGE], len(found) > PAGE

    async def tags(self, actor: Actor) -> list[str]:
        """Return the tags in use where the actor handles suggestions, the most used first."""
        paths = paths_of(actor, Action.HANDLE_SUGGESTIONS, self._clock())
        async with self._database.read() as session:
            return await suggestions.tags(session, paths, MOST_TAGS)

    async def for_actor(self, actor: Actor, group_id: int) -> Group:
        """Return a group of the actor's subtree; the one that leads it, if it was merged."""
        async with self._database.read() as session:
            return await self._reachable(session, actor, group_id)

    async def texts(self, actor: Actor, group_id: int, page: int = 0) -> tuple[list[Suggestion], bool]:
        """Return a page of a group's texts; names are read only by who may read members, and that is written down."""
        async with self._database.begin() as session:
            found = await self._reachable(session, actor, group_id)
            listed = await suggestions.texts(session, group_id, offset=page * PAGE, limit=PAGE + 1)
            shown = listed[:PAGE]
            if not actor.may(Action.READ_MEMBER, found.path, day_of(self._clock())):
                shown = [Suggestion(each.id, each.text, each.day, None, None) for each in shown]
            for person_id in sorted({each.member_id for each in shown if each.member_id is not None}):
                await self._audit.note(
                    session,
                    actor_id=actor.member_id,
                    action="suggestion.author_read",
                    subject="member",
                    subject_id=person_id,
                    organisation_id=found.organisation_id,
                    person_id=person_id,
                )
        return shown, len(listed) > PAGE

    async def tag(self, actor: Actor, group_id: int, text: str) -> Group:
        """Give a group a tag; an empty one takes it away."""
        tag = check_tag(text)
        async with self._database.begin() as session:
            await self._reachable(session, actor, group_id)
            await suggestions.write_tag(session, group_id, tag)
            return await self._reachable(session, actor, group_id)

    async def others(self, actor: Actor, group_id: int, page: int = 0) -> tuple[list[Group], bool]:
        """Return open groups to the same organisation, into which a group may be merged."""
        async with self._database.read() as session:
            found = await self._reachable(session, actor, group_id)
            listed = await suggestions.groups(
                session,
                [found.path],
                state=GroupState.OPEN,
                but=group_id,
                offset=page * PAGE,
                limit=PAGE + 1,
            )
        here = [each for each in listed if each.organisation_id == found.organisation_id]
        return here[:PAGE], len(listed) > PAGE

    async def merge(self, actor: Actor, group_id: int, into_id: int) -> Group:
        """Put a group into another; pressed twice it is there once."""
        async with self._database.begin() as session:
            one = await self._reachable(session, actor, group_id)
            into = await self._reachable(session, actor, into_id)
            if one.id == into.id:
                return into
            if one.organisation_id != into.organisation_id:
                raise NotInOnePlace
            if GroupState.ANSWERED in (one.state, into.state):
                raise GroupAnswered
            await suggestions.merge(session, one.id, into.id)
            await self._note(session, actor, into, "merged")
            return await self._reachable(session, actor, into.id)

    async def part(self, actor: Actor, group_id: int) -> Group:
        """Take out again what was merged last; nothing else is undone."""
        async with self._database.begin() as session:
            found = await self._reachable(session, actor, group_id)
            if found.state is GroupState.ANSWERED:
                raise GroupAnswered
            last = await suggestions.merged_last(session, found.id)
            if last is None:
                return found
            await suggestions.part(session, last)
            await self._note(session, actor, found, "parted")
            return await self._reachable(session, actor, found.id)

    async def take_out(self, actor: Actor, suggestion_id: int) -> Group:
        """Give a text a group of its own, because it says something else; returns the group it was in."""
        async with self._database.begin() as session:
            group_id = await suggestions.group_of(session, suggestion_id)
            if group_id is None:
                raise NotFound
            found = await self._reachable(session, actor, group_id)
            if found.state is GroupState.ANSWERED:
                raise GroupAnswered
            if found.size > 1:
                text = await suggestions.text_of(session, suggestion_id)
                own = await suggestions.new_group(session, found.organisation_id, text)
                await suggestions.put(session, suggestion_id, own)
                await self._note(session, actor, found, "taken_out")
            return await self._reachable(session, actor, group_id)

    async def answer(self, actor: Actor, group_id: int, text: str) -> Group:
        """Answer a whole group once: who gave their name is told, a poll's answers stand with its result."""
        answer = check_answer(text)
        async with self._database.begin() as session:
            found = await self._reachable(session, actor, group_id)
            if found.state is GroupState.ANSWERED and found.answer == answer:
                return found
            if not await suggestions.answer(session, found.id, answer, actor.member_id, self._clock()):
                raise GroupAnswered
            authors = await suggestions.named_authors(session, found.id)
            if authors:
                await self._delivery.dispatch(
                    session,
                    source=suggestions.SOURCE,
                    source_id=found.id,
                    member_ids=authors,
                    author_id=actor.member_id,
                )
            await self._note(session, actor, found, "answered")
            return await self._reachable(session, actor, found.id)

    async def content(self, group_id: int, language: str) -> Content:
        """Make the answer as the authors of a group get it."""
        async with self._database.read() as session:
            found = await suggestions.read_group(session, group_id)
        if found is None:
            raise NotFound
        return answer_content(found, found.answer, language)

    # The clock

    async def tick(self) -> None:
        """Group what is new; any process may, and what has a group keeps it."""
        async with self._database.read() as session:
            places = await suggestions.with_ungrouped(session)
        for organisation_id in places:
            try:
                while await self._group_some(organisation_id):
                    pass
            except Exception:  # one place that fails must not keep the others waiting
                log.exception("suggestions not grouped", organisation=organisation_id)

    async def _group_some(self, organisation_id: int) -> bool:
        async with self._database.read() as session:
            known = await suggestions.open_texts(session, organisation_id)
        grouping = await asyncio.to_thread(Grouping, known)
        async with self._database.begin() as session:
            await suggestions.lock(session, organisation_id)
            fresh = await suggestions.ungrouped(session, organisation_id, AT_ONCE)
            still_open = {number for number, _ in await suggestions.open_texts(session, organisation_id)}
            for suggestion_id, text in fresh:
                group_id = grouping.find(text)
                if group_id not in still_open or group_id is None:
                    group_id = await suggestions.new_group(session, organisation_id, text)
                    still_open.add(group_id)
                grouping.add(group_id, text)
                await suggestions.put(session, suggestion_id, group_id)
        return len(fresh) == AT_ONCE

    async def _reachable(self, session: Session, actor: Actor, group_id: int) -> Group:
        found = await suggestions.read_group(session, group_id)
        if found is None:
            raise NotFound
        require(actor, Action.HANDLE_SUGGESTIONS, found.path, self._clock())
        return found

    async def _note(self, session: Session, actor: Actor, found: Group, what: str) -> None:
        await self._audit.note(
            session,
            actor_id=actor.member_id,
            action=f"suggestion.{what}",
            subject="suggestion_group",
            subject_id=found.id,
            organisation_id=found.organisation_id,
        )


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
