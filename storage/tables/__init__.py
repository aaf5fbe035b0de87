"""All tables, so that one import fills the metadata."""

from storage.tables.accounts import AccountLinkRow, AccountRow, ChatRow, InvitationRow
from storage.tables.audit import AuditEntryRow, AuditSealRow, PersonKeyRow
from storage.tables.base import metadata
from storage.tables.deliveries import (
    DeliveryRow,
    DispatchRow,
    MediaFileRow,
    OutcomeCountRow,
    PaceRow,
    PaceShareRow,
    SliceRow,
)
from storage.tables.digests import DailyDigestRow, DigestItemRow, DigestRecipientRow, DigestRow
from storage.tables.dissolutions import DissolutionRow
from storage.tables.forgetting import ForgottenRow
from storage.tables.inbox import ChatClaimRow, FsmRow, InboxRow, LeaseRow
from storage.tables.members import MemberRow, MembershipRow, SubscriptionRow, TopicRow
from storage.tables.meta import MetaRow
from storage.tables.notices import AcknowledgementRow, AudienceRow, NoticeRow
from storage.tables.nudges import NudgeRow
from storage.tables.organisations import OrganisationHistoryRow, OrganisationRow, RoleGrantRow, SeatRow
from storage.tables.polls import (
    NamedVoteRow,
    ParticipationRow,
    PollCellRow,
    PollRow,
    SealedSuggestionRow,
    SealedVoteRow,
)
from storage.tables.processes import ProcessRow
from storage.tables.roster import RosterImportRow, RosterRowRow
from storage.tables.schedules import HolidayDayRow, HolidayYearRow, OccurrenceRow, ScheduleRow
from storage.tables.send_requests import SendRequestRow
from storage.tables.service_days import (
    CalendarAddressRow,
    ServiceActivityRow,
    ServiceDayRow,
    ServiceLeadRow,
    ServicePlanRow,
    ServiceStepRow,
)
from storage.tables.sign_ins import SignInRow
from storage.tables.suggestions import SuggestionGroupRow, SuggestionRow

__all__ = [
    "AccountLinkRow",
    "AccountRow",
    "AcknowledgementRow",
    "AudienceRow",
    "AuditEntryRow",
    "AuditSealRow",
    "CalendarAddressRow",
    "ChatClaimRow",
    "ChatRow",
    "DailyDigestRow",
    "DeliveryRow",
    "DigestItemRow",
    "DigestRecipientRow",
    "DigestRow",
    "DispatchRow",
    "DissolutionRow",
    "ForgottenRow",
    "FsmRow",
    "HolidayDayRow",
    "HolidayYearRow",
    "InboxRow",
    "InvitationRow",
    "LeaseRow",
    "MediaFileRow",
    "MemberRow",
    "MembershipRow",
    "MetaRow",
    "NamedVoteRow",
    "NoticeRow",
    "NudgeRow",
    "OccurrenceRow",
    "OrganisationHistoryRow",
    "OrganisationRow",
    "OutcomeCountRow",
    "PaceRow",
    "PaceShareRow",
    "ParticipationRow",
    "PersonKeyRow",
    "PollCellRow",
    "PollRow",
    "ProcessRow",
    "RoleGrantRow",
    "RosterImportRow",
    "RosterRowRow",
    "ScheduleRow",
    "SealedSuggestionRow",
    "SealedVoteRow",
    "SeatRow",
    "SendRequestRow",
    "ServiceActivityRow",
    "ServiceDayRow",
    "ServiceLeadRow",
    "ServicePlanRow",
    "ServiceStepRow",
    "SignInRow",
    "SliceRow",
    "SubscriptionRow",
    "SuggestionGroupRow",
    "SuggestionRow",
    "TopicRow",
    "metadata",
]
