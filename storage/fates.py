"""What becomes of each column that leads to a member when they are forgotten.

A table with a column that leads to a member has its line here; one without makes a test fail.
"""

from enum import StrEnum
from typing import Any

from domain.members import MemberStatus, Standing


class Fate(StrEnum):
    """What happens to a row that leads to a forgotten member by this column."""

    GOES = "goes"  # the row is deleted
    WITH = "with"  # it goes with its row, which another column sends away
    EMPTIED = "emptied"  # the row stays, the column becomes empty
    STAYS = "stays"  # the row counts, or is the organisation's; the id it holds is nobody's
    RULE = "rule"  # one of the rules of `storage.forgetting`


FATES: dict[str, Fate] = {
    "account_link.chat_id": Fate.WITH,
    "account_link.decided_by": Fate.STAYS,
    "account_link.member_id": Fate.GOES,
    "acknowledgement.member_id": Fate.STAYS,
    "audit_entry.actor_id": Fate.STAYS,  # the chain of hashes holds; what it tells went with the person's key
    "audit_entry.subject": Fate.STAYS,
    "audit_entry.subject_id": Fate.STAYS,
    "calendar_address.member_id": Fate.GOES,
    "chat.chat_id": Fate.RULE,
    "chat_claim.chat_id": Fate.STAYS,  # for seconds: who serves this chat, also while it says /forget
    "daily_digest.member_id": Fate.GOES,
    "delivery.chat_id": Fate.RULE,
    "delivery.member_id": Fate.STAYS,
    "digest_item.member_id": Fate.GOES,
    "digest_recipient.member_id": Fate.GOES,
    "dispatch.author_id": Fate.STAYS,
    "dispatch.progress_chat_id": Fate.RULE,
    "dissolution.asked_by": Fate.STAYS,
    "dissolution.decided_by": Fate.STAYS,
    "forgotten.member_id": Fate.STAYS,
    "fsm.chat_id": Fate.RULE,
    "fsm.user_id": Fate.RULE,
    "inbox.chat_id": Fate.RULE,
    "invitation.created_by": Fate.STAYS,
    "invitation.member_id": Fate.GOES,
    "media_file.chat_id": Fate.RULE,
    "membership.member_id": Fate.GOES,
    "named_vote.member_id": Fate.RULE,
    "notice.author_id": Fate.RULE,
    "nudge.by_id": Fate.STAYS,
    "organisation_history.actor_id": Fate.STAYS,
    "participation.member_id": Fate.STAYS,
    "person_key.member_id": Fate.GOES,
    "poll.author_id": Fate.RULE,
    "role_grant.granted_by": Fate.STAYS,
    "role_grant.member_id": Fate.GOES,
    "send_request.asked_by": Fate.STAYS,
    "send_request.decided_by": Fate.STAYS,
    "sealed_suggestion.owner": Fate.RULE,
    "roster_import.actor_id": Fate.STAYS,
    "roster_row.phone_hint": Fate.WITH,
    "roster_row.phone_index": Fate.RULE,
    "roster_row.phone_sealed": Fate.WITH,
    "roster_row.subject_id": Fate.RULE,
    "schedule.subject_id": Fate.STAYS,  # a notice, or a service plan
    "seat.member_id": Fate.GOES,
    "service_day.decided_by": Fate.STAYS,
    "service_lead.member_id": Fate.GOES,
    "sign_in.member_id": Fate.GOES,
    "subscription.member_id": Fate.GOES,
    "suggestion.member_id": Fate.RULE,
    "suggestion_group.answered_by": Fate.STAYS,
}

NOBODY: dict[str, Any] = {
    "name": "",
    "standing": Standing.FULL,
    "status": MemberStatus.FORGOTTEN,
    "mobile": False,
    "language": "zh_CN",
    "stopped_at": None,
    "phone_sealed": None,
    "phone_index": None,
    "phone_hint": "",
    "joined": None,
    "roster_number": "",
}
"""What a member's row holds afterwards; `id` and `home_id` stay, for the counts."""
