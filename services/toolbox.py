"""The toolbox: one of each service, built once, handed to chat and clock."""

from dataclasses import dataclass

from services.approvals import Approvals
from services.audiences import Audiences
from services.audit import Audit
from services.delivery import Delivery
from services.digests import Digests
from services.dispatch_desk import DispatchDesk
from services.dissolutions import Dissolutions
from services.expiry import Expiry
from services.exports import Exports
from services.forgetting import Forgetting
from services.halts import Halts
from services.holiday_alerts import HolidayAlerts
from services.holidays import Holidays
from services.invitations import Invitations
from services.members import Members
from services.notices import Notices
from services.organisations import Organisations
from services.own_data import OwnData
from services.people import People
from services.polls import Polls
from services.repeats import Repeats
from services.rest_days import RestWatch
from services.roster import Roster
from services.schedules import Schedules
from services.service_days import ServiceDays
from services.sign_ins import SignIns
from services.suggestions import Suggestions
from services.topics import Topics


@dataclass(frozen=True, slots=True)
class Toolbox:
    """All services of one process."""

    people: People
    members: Members
    invitations: Invitations
    approvals: Approvals
    expiry: Expiry
    delivery: Delivery
    digests: Digests
    dispatch_desk: DispatchDesk
    dissolutions: Dissolutions
    exports: Exports
    forgetting: Forgetting
    halts: Halts
    own_data: OwnData
    audit: Audit
    organisations: Organisations
    topics: Topics
    audiences: Audiences
    notices: Notices
    repeats: Repeats
    holidays: Holidays
    holiday_alerts: HolidayAlerts
    rest_days: RestWatch
    roster: Roster
    schedules: Schedules
    service_days: ServiceDays
    sign_ins: SignIns
    polls: Polls
    suggestions: Suggestions
