"""Who may do what where: a role is granted at a node and holds for its subtree, from a date to a date."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from domain.organisations import contains


class Role(StrEnum):
    SECRETARY = "secretary"  # 书记
    STAFF_WORKER = "staff_worker"  # 党务工作者
    OBSERVER = "observer"  # sees figures and reports, changes nothing


class Action(StrEnum):
    SEND_NOTICE = "send_notice"
    SEE_REPORT = "see_report"
    SEE_UNCONFIRMED = "see_unconfirmed"  # names of who still needs a call: own secretary only
    INVITE = "invite"
    APPROVE_LINK = "approve_link"
    READ_MEMBER = "read_member"
    HANDLE_SUGGESTIONS = "handle_suggestions"
    GRANT_ROLE = "grant_role"
    MANAGE_ORGANISATION = "manage_organisation"
    KEEP_SERVICE_DAY = "keep_service_day"  # dates where one decides, activities of one's own
    APPROVE_SENDING = "approve_sending"  # as the second person, what goes for a price or urgently
    ENTER_HOLIDAYS = "enter_holidays"  # of the whole city: asked at the root only


RIGHTS: dict[Role, frozenset[Action]] = {
    Role.SECRETARY: frozenset(Action),
    Role.STAFF_WORKER: frozenset(
        {
            Action.SEND_NOTICE,
            Action.SEE_REPORT,
            Action.SEE_UNCONFIRMED,
            Action.INVITE,
            Action.APPROVE_LINK,
            Action.READ_MEMBER,
            Action.HANDLE_SUGGESTIONS,
            Action.KEEP_SERVICE_DAY,
        }
    ),
    Role.OBSERVER: frozenset({Action.SEE_REPORT}),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One role at one node; the last day of `until` still counts."""

    role: Role
    organisation_id: int
    path: str
    since: date
    until: date | None = None

    def holds(self, action: Action, path: str, on: date) -> bool:
        """Say whether this grant allows `action` at the node of `path` on that day."""
        return (
            action in RIGHTS[self.role]
            and self.since <= on
            and (self.until is None or on <= self.until)
            and contains(self.path, path)
        )


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a chat, with their grants as of now."""

    member_id: int
    name: str
    home_id: int
    home_path: str
    language: str = "zh_CN"
    grants: tuple[Grant, ...] = field(default=())

    def may(self, action: Action, path: str, on: date) -> bool:
        return any(grant.holds(action, path, on) for grant in self.grants)

    def may_somewhere(self, action: Action, on: date) -> bool:
        return any(grant.holds(action, grant.path, on) for grant in self.grants)

    def nodes(self, action: Action, on: date) -> tuple[Grant, ...]:
        """Grants that allow `action`, outermost first, those inside another left out."""
        held = sorted((g for g in self.grants if g.holds(action, g.path, on)), key=lambda g: len(g.path))
        return tuple(_outermost(held))


def _outermost(grants: Iterable[Grant]) -> Iterable[Grant]:
    kept: list[Grant] = []
    for grant in grants:
        if not any(contains(other.path, grant.path) for other in kept):
            kept.append(grant)
            yield grant


def may_grant(actor: Actor, role: Role, path: str, on: date) -> bool:
    """Nobody grants above their node or beyond their own rights (DESIGN.md, "Permission")."""
    return actor.may(Action.GRANT_ROLE, path, on) and all(actor.may(a, path, on) for a in RIGHTS[role])
