"""Dissolving an organisation: its members go to a regional one, the reservoir, once a second person agrees."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.organisations import Organisation, OrganisationKind, OrganisationStatus
from domain.refusals import Refusal

LONGEST_NUMBER = 60
LONGEST_REASON = 500


class DissolutionState(StrEnum):
    ASKED = "asked"
    CARRIED_OUT = "carried_out"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RootIsNotDissolved(Refusal):
    """The root of the tree has nothing that would take its members in."""


class OrganisationsBelow(Refusal):
    """There are active organisations below, which are dissolved or moved first; `names` says which."""


class NoReservoir(Refusal):
    """No regional organisation is near that could take the members in."""


class NotAReservoir(Refusal):
    """The organisation chosen does not take these members in, or does not any more."""


class FilingNumberMissing(Refusal):
    """The document that decided this has a number, of no more than `most` characters."""


class DissolutionReasonMissing(Refusal):
    """A reason is needed, of no more than `most` characters."""


class NobodyToApprove(Refusal):
    """Nobody else has the right to approve this."""


class ApproverIsAnother(Refusal):
    """Who asked cannot approve as well."""


class ApproverStandsTooLow(Refusal):
    """Who approves has to manage both organisations."""


class DissolutionIsWaiting(Refusal):
    """Somebody asked for the same already, and it is not decided."""


class DissolutionIsDecided(Refusal):
    """It was decided or withdrawn already."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a dissolution would touch."""

    members: int
    guests: int
    roles: int
    seats: int
    polls: int
    notices: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of an organisation, and who would take its members in."""

    organisation: Organisation
    target: Organisation
    figures: Figures


@dataclass(frozen=True, slots=True)
class Dissolution:
    """A request to dissolve, and what became of it."""

    id: int
    organisation: Organisation
    target: Organisation
    filing_number: str
    reason: str
    state: DissolutionState
    asked_by: int
    asker: str
    asked_at: datetime
    decided_by: int | None
    moved: int


def check_number(text: str) -> str:
    """Return a filing number on one line."""
    number = " ".join(text.split())
    if not 0 < len(number) <= LONGEST_NUMBER:
        raise FilingNumberMissing(most=LONGEST_NUMBER)
    return number


def check_reason(text: str) -> str:
    reason = text.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise DissolutionReasonMissing(most=LONGEST_REASON)
    return reason


def takes_in(target: Organisation, dissolved: Organisation) -> bool:
    """Say whether one is a reservoir for another: regional, above it or right below one that is above it."""
    if target.kind is not OrganisationKind.REGIONAL or target.status is not OrganisationStatus.ACTIVE:
        return False
    above = dissolved.chain[:-1]
    return target.id != dissolved.id and (target.id in above or target.parent_id in above)


def common_path(one: str, other: str) -> str:
    """Return the path of the deepest organisation that holds both; empty where nothing does."""
    shared = "/"
    for left, right in zip(one.strip("/").split("/"), other.strip("/").split("/"), strict=False):
        if left != right:
            break
        shared += f"{left}/"
    return shared if shared != "/" else ""
