"""Messenger accounts of the bridge and the addresses of people in them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.refusals import Refusal


class MessengerNotAllowed(Refusal):
    """This messenger keeps its data where this bridge may not send."""


class NoSuchChat(Refusal):
    """The member has no chat there to be written to."""


class LinkState(StrEnum):
    """State of the join between a chat and a member record."""

    PENDING = "pending"  # opened an invitation, waits for the second proof
    ACTIVE = "active"
    BLOCKED = "blocked"  # the person blocked the bot, or the account is gone
    ENDED = "ended"  # taken apart by the person or a secretary


HOME_COUNTRY = "CN"
"""Where the members are: what is sensitive goes only through messengers that keep their data here."""


@dataclass(frozen=True, slots=True)
class Account:
    """One bot account on one messenger server, as configured (DESIGN.md, "One protocol, two messengers")."""

    id: int
    name: str
    residency: str  # "CN" or another ISO country code: where the messenger keeps its data
    verifies_phones: bool
    deep_link_template: str  # "https://t.me/{bot}?start={payload}"
    barred: bool = False  # its residency is not allowed here

    @property
    def at_home(self) -> bool:
        return self.residency == HOME_COUNTRY


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached: the pair of columns (account, chat_id)."""

    account_id: int
    chat_id: int


@dataclass(frozen=True, slots=True)
class AccountLink:
    id: int
    member_id: int
    address: Address
    state: LinkState
    since: datetime
