"""The toolbox: one of each service, built once, handed to chat and clock."""

from dataclasses import dataclass

from services.approvals import Approvals
from services.audit import Audit
from services.delivery import Delivery
from services.invitations import Invitations
from services.members import Members
from services.people import People


@dataclass(frozen=True, slots=True)
class Toolbox:
    """All services of one process."""

    people: People
    members: Members
    invitations: Invitations
    approvals: Approvals
    delivery: Delivery
    audit: Audit
