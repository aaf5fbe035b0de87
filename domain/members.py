"""Members: who they are, where they belong, how they are reached."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Standing(StrEnum):
    FULL = "full"
    PROBATIONARY = "probationary"


class MemberStatus(StrEnum):
    ACTIVE = "active"
    LEFT = "left"
    DECEASED = "deceased"
    FORGOTTEN = "forgotten"  # the row stays for the counts; nothing of the person is in it


class MembershipKind(StrEnum):
    """Home is the one legal membership; host is a place a mobile member takes part in."""

    HOME = "home"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class Member:
    """A member as services and chat see one. The phone stays sealed; `phone_hint` is its last four digits."""

    id: int
    name: str
    home_id: int
    standing: Standing
    status: MemberStatus = MemberStatus.ACTIVE
    mobile: bool = False
    language: str = "zh_CN"
    stopped_at: datetime | None = None
    phone_hint: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    organisation_id: int
    kind: MembershipKind
    since: date
    until: date | None = None
