"""What may go out as a table, and who may have it."""

from enum import StrEnum

from domain.permissions import Action
from domain.refusals import Refusal


class Table(StrEnum):
    """A table that can be had; the value is how an operator names it."""

    MEMBERS = "members"
    ORGANISATIONS = "organisations"
    DELIVERY_REPORT = "delivery-report"
    POLLS = "polls"


NEEDED: dict[Table, Action] = {
    Table.MEMBERS: Action.READ_MEMBER,
    Table.ORGANISATIONS: Action.SEE_REPORT,
    Table.DELIVERY_REPORT: Action.SEE_REPORT,
    Table.POLLS: Action.SEE_REPORT,
}
IN_CHAT = frozenset({Table.DELIVERY_REPORT, Table.POLLS, Table.ORGANISATIONS})
"""Tables of totals: no roster goes through a chat (DOMAIN.md 4)."""


class TableEmpty(Refusal):
    """There is no row in the table."""


class NotInChat(Refusal):
    """Names and numbers of members do not go through a chat: the operator's command writes them to a file."""
