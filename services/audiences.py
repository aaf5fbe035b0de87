"""Audiences as use cases: whom an actor may mean, how many that is, and what would become of a push to them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from domain.audiences import Audience, Scope, check
from domain.clock import Clock, day_of
from domain.delivery import Lane
from domain.notices import Notice
from domain.organisations import Organisation, contains
from domain.permissions import Action, Actor
from domain.reach import Group, Reach, reach_of
from domain.refusals import NotFound, Refusal
from domain.topics import Topic
from storage import audiences, organisations, pace, topics
from storage.database import Database, Session
from storage.deliveries import Rules
from storage.materialise import Members


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an audience to be read aloud: its scope with what its ids stand for."""

    scope: Scope
    organisation: Organisation
    topic: Topic | None
    excluded: bool


class Audiences:
    """Checks, counts, stores and explains audiences; nobody means members outside their subtrees."""

    def __init__(self, *, database: Database, clock: Clock, rules: Rules | None = None) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules or Rules()

    async def checked(self, actor: Actor, audience: Audience) -> Audience:
        """Return the audience with its organisations where they stand today; refuses what is not the actor's."""
        async with self._database.read() as session:
            return await self._checked(session, actor, audience)

    async def count(self, actor: Actor, audience: Audience) -> int:
        async with self._database.read() as session:
            return await audiences.count(session, await self._checked(session, actor, audience))

    async def reach(
        self, actor: Actor, audience: Audience, now: datetime, *, home_only: bool = False
    ) -> Reach:
        """Say how many a push that starts now gets to and when, and how many not and why."""
        async with self._database.read() as session:
            meant = await self._checked(session, actor, audience)
            groups = await audiences.groups(
                session, meant, weekly_cap=self._rules.weekly_cap, now=now, home_only=home_only
            )
            return await self._reach(session, groups, now, self._rules)

    async def reach_of(self, session: Session, notice: Notice, lane: Lane) -> Reach:
        """Say the same of a notice that went now in a lane, whoever asks: what is urgent is outside of the rules."""
        if notice.audience_id is None:
            return Reach()
        meant = await audiences.load(session, notice.audience_id)
        rules, now = self._rules.of(lane), self._clock()
        groups = await audiences.groups(
            session, meant, weekly_cap=rules.weekly_cap, now=now, home_only=notice.sensitive
        )
        return await self._reach(session, groups, now, rules)

    async def reach_of_members(
        self, session: Session, members: Members, now: datetime, *, home_only: bool = False
    ) -> Reach:
        """Say the same of a push to these members."""
        groups = await audiences.groups_of(
            session, members, weekly_cap=self._rules.weekly_cap, now=now, home_only=home_only
        )
        return await self._reach(session, groups, now, self._rules)

    async def save(self, session: Session, actor: Actor, audience: Audience) -> int:
        """Store a checked audience in the caller's transaction, and return its id."""
        return await audiences.save(session, await self._checked(session, actor, audience))

    async def allowed(self, session: Session, actor: Actor, audience_id: int) -> bool:
        """Say whether a stored audience, as the tree stands today, lies where the actor may send."""
        try:
            await self._checked(session, actor, await audiences.load(session, audience_id))
        except Refusal:
            return False
        return True

    async def load(self, audience_id: int) -> Audience:
        """Return a stored audience with its organisations where they stand today."""
        async with self._database.read() as session:
            return await audiences.load(session, audience_id)

    async def parts(self, audience: Audience) -> tuple[Part, ...]:
        """Return the audience's parts in canonical order, so that it always reads the same."""
        async with self._database.read() as session:
            nodes = await organisations.of_ids(session, {scope.organisation_id for scope in audience.scopes})
            wanted = {scope.topic_id for scope in audience.scopes if scope.topic_id is not None}
            named = await topics.of_ids(session, wanted)
        return tuple(
            Part(
                scope=scope,
                organisation=nodes[scope.organisation_id],
                topic=None if scope.topic_id is None else named[scope.topic_id],
                excluded=excluded,
            )
            for excluded, scopes in ((False, audience.include), (True, audience.exclude))
            for scope in scopes
        )

    async def part_of(self, actor: Actor, audience_id: int) -> Part:
        """Return the nearest part of a stored audience that a member lives in; one who has moved gets the first."""
        audience = await self.load(audience_id)
        mine = [scope for scope in audience.include if contains(scope.path, actor.home_path)]
        nearest = max(mine, key=lambda scope: len(scope.path), default=audience.include[0])
        return (await self.parts(Audience(include=(nearest,))))[0]

    async def _reach(self, session: Session, groups: Iterable[Group], now: datetime, rules: Rules) -> Reach:
        rates = {account_id: each.rate for account_id, each in (await pace.read_all(session)).items()}
        return reach_of(groups, quiet=rules.quiet, rest=rules.rest, rates=rates, now=now)

    async def _checked(self, session: Session, actor: Actor, audience: Audience) -> Audience:
        """Take nothing on trust: paths are read again, and each must lie where the actor may send."""
        on = day_of(self._clock())
        nodes = await organisations.of_ids(session, {scope.organisation_id for scope in audience.scopes})
        wanted = {scope.topic_id for scope in audience.scopes if scope.topic_id is not None}
        if wanted - (await topics.of_ids(session, wanted)).keys():
            raise NotFound

        def placed(scope: Scope) -> Scope:
            node = nodes.get(scope.organisation_id)
            if node is None or not actor.may(Action.SEND_NOTICE, node.path, on):
                raise NotFound
            return replace(scope, path=node.path)

        return check(
            Audience(
                include=tuple(placed(scope) for scope in audience.include),
                exclude=tuple(placed(scope) for scope in audience.exclude),
            )
        )
