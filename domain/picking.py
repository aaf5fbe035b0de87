"""Putting an audience together by hand: places in, places out, and one set of filters for all of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from domain.audiences import Audience, Scope
from domain.members import Standing
from domain.organisations import Level, Organisation, OrganisationKind, RegionalMode, contains

FILTERS: dict[str, tuple[str, type[Any]]] = {
    "level": ("levels", Level),
    "kind": ("kinds", OrganisationKind),
    "mode": ("modes", RegionalMode),
    "standing": ("standings", Standing),
}
"""Filters of which one may choose several, by their short names."""
MOBILE = {"yes": True, "no": False}


NOWHERE = Scope(0, "/")


@dataclass(frozen=True, slots=True)
class Picked:
    """What was picked so far: subtrees with their paths, and the filters, held by a scope of no place."""

    inside: tuple[Scope, ...] = ()
    outside: tuple[Scope, ...] = ()
    filters: Scope = NOWHERE

    def add(self, place: Organisation) -> "Picked":
        """Put a subtree in; what lies below it needs no mention any more."""
        kept = tuple(each for each in self.inside if not contains(place.path, each.path))
        inside = kept if self.covers(place) else (*kept, _bare(place))
        return replace(self, inside=inside, outside=_but(self.outside, place.id))

    def drop(self, place: Organisation) -> "Picked":
        """Take a chosen subtree back, and with it what was taken out of it."""
        inside = _but(self.inside, place.id)
        outside = tuple(each for each in self.outside if _covered(inside, each.path))
        return replace(self, inside=inside, outside=outside)

    def leave_out(self, place: Organisation) -> "Picked":
        """Take a part out of what is chosen."""
        kept = tuple(each for each in self.outside if not contains(place.path, each.path))
        return replace(self, outside=(*kept, _bare(place)))

    def let_in(self, place: Organisation) -> "Picked":
        """Let a part in again."""
        return replace(self, outside=_but(self.outside, place.id))

    def sift(self, field: str, value: str, *, on: bool) -> "Picked":
        """Set a filter; an unknown field or value, as a forged tap has it, raises `ValueError`."""
        if field == "mobile":
            return replace(self, filters=replace(self.filters, mobile=MOBILE.get(value) if on else None))
        if field == "topic":
            return replace(self, filters=replace(self.filters, topic_id=int(value) if on else None))
        if field not in FILTERS:
            msg = f"no filter {field!r}"
            raise ValueError(msg)
        name, kind = FILTERS[field]
        chosen = {each for each in getattr(self.filters, name) if each != value} | (
            {kind(value)} if on else set()
        )
        change: dict[str, Any] = {name: tuple(chosen)}
        return replace(self, filters=replace(self.filters, **change))

    def clear(self, field: str) -> "Picked":
        """Let everyone through that filter again."""
        empty = {"mobile": {"mobile": None}, "topic": {"topic_id": None}}
        change: dict[str, Any] = empty.get(field) or {FILTERS[field][0]: ()}
        return replace(self, filters=replace(self.filters, **change))

    def has(self, place: Organisation) -> bool:
        return any(each.organisation_id == place.id for each in self.inside)

    def leaves_out(self, place: Organisation) -> bool:
        return any(each.organisation_id == place.id for each in self.outside)

    def covers(self, place: Organisation) -> bool:
        """Say whether a place lies below a chosen one."""
        return any(contains(each.path, place.path) and each.path != place.path for each in self.inside)

    @property
    def audience(self) -> Audience | None:
        """Return the audience, or `None` while no place is chosen."""
        if not self.inside:
            return None
        include = (
            replace(self.filters, organisation_id=each.organisation_id, path=each.path)
            for each in self.inside
        )
        return Audience(include=tuple(include), exclude=self.outside)


def picked(audience: Audience | None) -> Picked:
    """Take an audience apart again; its filters are those of its first part."""
    if audience is None:
        return Picked()
    return Picked(
        inside=tuple(Scope(each.organisation_id, each.path) for each in audience.include),
        outside=audience.exclude,
        filters=replace(audience.include[0], organisation_id=0, path="/"),
    )


def _bare(place: Organisation) -> Scope:
    return Scope(place.id, place.path)


def _but(scopes: Iterable[Scope], organisation_id: int) -> tuple[Scope, ...]:
    return tuple(each for each in scopes if each.organisation_id != organisation_id)


def _covered(inside: Iterable[Scope], path: str) -> bool:
    return any(contains(each.path, path) for each in inside)
