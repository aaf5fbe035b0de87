"""The desk of those who answer suggestions for an organisation or one above it."""

from dataclasses import dataclass

from domain.clock import Clock, day_of
from domain.permissions import Action, Actor
from domain.refusals import NotFound
from domain.suggestions import (
    Group,
    GroupAnswered,
    GroupState,
    NotInOnePlace,
    Suggestion,
    check_answer,
    check_tag,
)
from services.audit import Audit
from services.delivery import Delivery
from services.walls import PAGE, paths_of, require
from storage import suggestion_groups, suggestions
from storage.database import Database, Session

MOST_TAGS = 12


@dataclass(frozen=True, slots=True)
class Wish:
    """What groups are looked for: in a state, with a tag, out of a poll."""

    state: GroupState | None = GroupState.OPEN
    tag: str = ""
    poll_id: int | None = None


class SuggestionDesk:
    """Lets them tag, merge, take apart, and answer a whole group at once."""

    def __init__(self, *, database: Database, clock: Clock, audit: Audit, delivery: Delivery) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._delivery = delivery

    def may_handle(self, actor: Actor) -> bool:
        return actor.may_somewhere(Action.HANDLE_SUGGESTIONS, day_of(self._clock()))

    async def groups(self, actor: Actor, wish: Wish, page: int = 0) -> tuple[list[Group], bool]:
        """Return a page of the groups of one's subtree, the largest first, and whether more follow."""
        paths = paths_of(actor, Action.HANDLE_SUGGESTIONS, self._clock())
        async with self._database.read() as session:
            found = await suggestion_groups.groups(
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
            return await suggestion_groups.tags(session, paths, MOST_TAGS)

    async def for_actor(self, actor: Actor, group_id: int) -> Group:
        """Return a group of the actor's subtree; the one that leads it, if it was merged."""
        async with self._database.read() as session:
            return await self._reachable(session, actor, group_id)

    async def texts(self, actor: Actor, group_id: int, page: int = 0) -> tuple[list[Suggestion], bool]:
        """Return a page of a group's texts; names are read only by who may read members, and that is written down."""
        async with self._database.begin() as session:
            found = await self._reachable(session, actor, group_id)
            listed = await suggestion_groups.texts(session, group_id, offset=page * PAGE, limit=PAGE + 1)
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
            await suggestion_groups.write_tag(session, group_id, tag)
            return await self._reachable(session, actor, group_id)

    async def others(self, actor: Actor, group_id: int, page: int = 0) -> tuple[list[Group], bool]:
        """Return open groups to the same organisation, into which a group may be merged."""
        async with self._database.read() as session:
            found = await self._reachable(session, actor, group_id)
            listed = await suggestion_groups.groups(
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
            await suggestion_groups.merge(session, one.id, into.id)
            await self._note(session, actor, into, "merged")
            return await self._reachable(session, actor, into.id)

    async def part(self, actor: Actor, group_id: int) -> Group:
        """Take out again what was merged last; nothing else is undone."""
        async with self._database.begin() as session:
            found = await self._reachable(session, actor, group_id)
            if found.state is GroupState.ANSWERED:
                raise GroupAnswered
            last = await suggestion_groups.merged_last(session, found.id)
            if last is None:
                return found
            await suggestion_groups.part(session, last)
            await self._note(session, actor, found, "parted")
            return await self._reachable(session, actor, found.id)

    async def take_out(self, actor: Actor, suggestion_id: int) -> Group:
        """Give a text a group of its own, because it says something else; returns the group it was in."""
        async with self._database.begin() as session:
            group_id = await suggestion_groups.group_of(session, suggestion_id)
            if group_id is None:
                raise NotFound
            found = await self._reachable(session, actor, group_id)
            if found.state is GroupState.ANSWERED:
                raise GroupAnswered
            if found.size > 1:
                text = await suggestion_groups.text_of(session, suggestion_id)
                own = await suggestion_groups.new_group(session, found.organisation_id, text)
                await suggestion_groups.put(session, suggestion_id, own)
                await self._note(session, actor, found, "taken_out")
            return await self._reachable(session, actor, group_id)

    async def answer(self, actor: Actor, group_id: int, text: str) -> Group:
        """Answer a whole group once: who gave their name is told, a poll's answers stand with its result."""
        answer = check_answer(text)
        async with self._database.begin() as session:
            found = await self._reachable(session, actor, group_id)
            if found.state is GroupState.ANSWERED and found.answer == answer:
                return found
            if not await suggestion_groups.answer(session, found.id, answer, actor.member_id, self._clock()):
                raise GroupAnswered
            authors = await suggestion_groups.named_authors(session, found.id)
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

    async def _reachable(self, session: Session, actor: Actor, group_id: int) -> Group:
        found = await suggestion_groups.read_group(session, group_id)
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
