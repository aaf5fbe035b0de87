"""Audiences: who is meant, as a canonical value that can be stored, compared, counted and read aloud.

A member matches a `Scope` if they are active, their home lies in its subtree, and every filter given holds:
level, kind and mode are those of the home, standing and mobility the member's own, the topic subscribed to.
An audience is everyone who matches one of `include` and none of `exclude`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from domain.members import Member, MemberStatus, Standing
from domain.organisations import Level, Organisation, OrganisationKind, RegionalMode, contains
from domain.refusals import Refusal

VERSION = 1
MOST_SCOPES = 40
_Filter = TypeVar("_Filter", bound=StrEnum)


class EmptyAudience(Refusal):
    """No organisation is chosen, so it is nobody."""


class NobodyLeft(Refusal):
    """What is taken out covers all that was put in."""


class TooManyScopes(Refusal):
    """The audience has more parts than anybody can check by reading."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One subtree with filters; an empty filter lets everyone through. Sorted and without repetition.

    `path` is where the organisation stands today: it is no part of the canonical form, so that a stored
    audience follows an organisation that moves.
    """

    organisation_id: int
    path: str
    levels: tuple[Level, ...] = ()
    kinds: tuple[OrganisationKind, ...] = ()
    modes: tuple[RegionalMode, ...] = ()
    standings: tuple[Standing, ...] = ()
    mobile: bool | None = None
    topic_id: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", _canonical(Level, self.levels, all_is_none=True))
        object.__setattr__(self, "kinds", _canonical(OrganisationKind, self.kinds, all_is_none=True))
        object.__setattr__(self, "modes", _canonical(RegionalMode, self.modes, all_is_none=False))
        object.__setattr__(self, "standings", _canonical(Standing, self.standings, all_is_none=True))

    @property
    def is_whole(self) -> bool:
        """Say whether it is a subtree without any filter."""
        filters = (self.levels, self.kinds, self.modes, self.standings)
        return not any(filters) and self.mobile is None and self.topic_id is None

    def matches(self, member: Member, home: Organisation, topics: frozenset[int]) -> bool:
        """Say whether a member with this home and these subscriptions is meant."""
        return (
            member.status is MemberStatus.ACTIVE
            and contains(self.path, home.path)
            and (not self.levels or home.level in self.levels)
            and (not self.kinds or home.kind in self.kinds)
            and (not self.modes or home.regional_mode in self.modes)
            and (not self.standings or member.standing in self.standings)
            and self.mobile in {None, member.mobile}
            and (self.topic_id is None or self.topic_id in topics)
        )

    def definition(self) -> dict[str, Any]:
        """Return the canonical form: what is not asked for is left out."""
        fields: dict[str, Any] = {
            "organisation": self.organisation_id,
            "levels": list(self.levels),
            "kinds": list(self.kinds),
            "modes": list(self.modes),
            "standings": list(self.standings),
            "mobile": self.mobile,
            "topic": self.topic_id,
        }
        return {name: value for name, value in fields.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class Audience:
    """Everyone in `include` but those in `exclude`; equal however its parts were put in."""

    include: tuple[Scope, ...]
    exclude: tuple[Scope, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "include", _sorted(self.include))
        object.__setattr__(self, "exclude", _sorted(self.exclude))

    @property
    def scopes(self) -> tuple[Scope, ...]:
        return self.include + self.exclude

    def matches(self, member: Member, home: Organisation, topics: frozenset[int] = frozenset()) -> bool:
        """Say whether a member is meant; `storage.audiences` says the same for all in one query."""
        return any(scope.matches(member, home, topics) for scope in self.include) and not any(
            scope.matches(member, home, topics) for scope in self.exclude
        )

    def canonical_json(self) -> str:
        """Return the one text of this audience, whatever order it was put together in."""
        definition = {
            "version": VERSION,
            "include": [scope.definition() for scope in self.include],
            "exclude": [scope.definition() for scope in self.exclude],
        }
        return json.dumps(definition, sort_keys=True, separators=(",", ":"))

    def digest(self) -> bytes:
        return hashlib.sha256(self.canonical_json().encode()).digest()


def check(audience: Audience) -> Audience:
    """Return the audience, or refuse one that cannot be meant."""
    if not audience.include:
        raise EmptyAudience
    if len(audience.scopes) > MOST_SCOPES:
        raise TooManyScopes(most=MOST_SCOPES)
    taken_out = [scope.path for scope in audience.exclude if scope.is_whole]
    if all(any(contains(path, scope.path) for path in taken_out) for scope in audience.include):
        raise NobodyLeft
    return audience


def organisations_in(text: str) -> tuple[int, ...]:
    """Return the ids of the organisations a canonical text names, whose paths `from_json` needs."""
    definition = _parsed(text)
    return tuple(sorted({scope["organisation"] for scope in definition["include"] + definition["exclude"]}))


def from_json(text: str, paths: Mapping[int, str]) -> Audience:
    """Read what `canonical_json` wrote, with the organisations at their paths of today."""
    definition = _parsed(text)
    return Audience(
        include=tuple(_scope(fields, paths) for fields in definition["include"]),
        exclude=tuple(_scope(fields, paths) for fields in definition["exclude"]),
    )


def _parsed(text: str) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(text)
    if definition.get("version") != VERSION:
        msg = f"an audience of version {definition.get('version')} is read by another release"
        raise ValueError(msg)
    return definition


def _scope(fields: Mapping[str, Any], paths: Mapping[int, str]) -> Scope:
    return Scope(
        organisation_id=fields["organisation"],
        path=paths[fields["organisation"]],
        levels=tuple(Level(value) for value in fields.get("levels", ())),
        kinds=tuple(OrganisationKind(value) for value in fields.get("kinds", ())),
        modes=tuple(RegionalMode(value) for value in fields.get("modes", ())),
        standings=tuple(Standing(value) for value in fields.get("standings", ())),
        mobile=fields.get("mobile"),
        topic_id=fields.get("topic"),
    )


def _canonical(of: type[_Filter], given: Iterable[_Filter], *, all_is_none: bool) -> tuple[_Filter, ...]:
    """Sort as the glossary does; to ask for every level is to ask for none (not so for modes: most have none)."""
    chosen = frozenset(given)
    everything = all_is_none and len(chosen) == len(of)
    return () if everything else tuple(value for value in of if value in chosen)


def _sorted(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    return tuple(sorted(set(scopes), key=_order))


def _order(scope: Scope) -> str:
    return json.dumps(scope.definition(), sort_keys=True)
