"""All that is stored of one member, for themselves: a section each, and by which columns it leads to them.

A table with a column that leads to a member stands in a section or in `LEFT_OUT`; one without makes a test fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import Address
from storage.tables import metadata

T = metadata.tables
_home = T["organisation"].alias("home")


@dataclass(frozen=True, slots=True)
class Own:
    """Whose data is meant, and the chats that are theirs."""

    member_id: int
    chats: tuple[Address, ...]

    def at(self, table: Any) -> ColumnElement[bool]:
        """Say that a row is of one of these chats."""
        theirs = (
            and_(table.c.account_id == chat.account_id, table.c.chat_id == chat.chat_id)
            for chat in self.chats
        )
        return or_(false(), *theirs)


Query = Callable[[Own], Select[Any]]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the document: its name, the columns that lead to the member, and its rows."""

    name: str
    covers: tuple[str, ...]
    query: Query


async def chats_of(session: AsyncSession, member_id: int) -> tuple[Address, ...]:
    """Return the chats joined to a member now."""
    link = T["account_link"]
    found = select(link.c.account_id, link.c.chat_id).where(
        link.c.member_id == member_id, link.c.state.in_(["active", "blocked"])
    )
    return tuple(Address(row.account_id, row.chat_id) for row in await session.execute(found))


async def rows(session: AsyncSession, section: Section, own: Own) -> list[dict[str, Any]]:
    """Return the rows of a section, each by the names of its columns."""
    return [dict(row._mapping) for row in await session.execute(section.query(own))]  # noqa: SLF001 - public


async def polls_with_suggestions(session: AsyncSession) -> list[int]:
    """Return the polls in which suggestions wait under seal."""
    waiting = T["sealed_suggestion"].c.poll_id
    return list((await session.execute(select(waiting).distinct().order_by(waiting))).scalars())


def _of(
    table: str,
    *columns: str,
    by: str = "member_id",
    joined: Mapping[str, tuple[str, str]] | None = None,
    order: Sequence[str] = ("id",),
) -> Query:
    """Select columns of a table's rows that lead to the member; `joined` adds names from other tables.

    ``joined={"organisation": ("organisation_id", "name")}`` adds organisation.name as ``organisation``.
    """

    def query(own: Own) -> Select[Any]:
        base = T[table]
        names = []
        source: Any = base
        for other, (key, name) in (joined or {}).items():
            there = T[other].alias(f"{other}_named")
            source = source.outerjoin(there, there.c.id == base.c[key])
            names.append(there.c[name].label(other))
        chosen = [base.c[column] for column in columns]
        found = select(*names, *chosen).select_from(source).where(base.c[by] == own.member_id)
        return found.order_by(*(base.c[column] for column in order))

    return query


def _record(own: Own) -> Select[Any]:
    member = T["member"]
    names = ("name", "standing", "status", "mobile", "language", "joined", "stopped_at", "roster_number")
    return (
        select(
            member.c.id.label("number"),
            *(member.c[name] for name in names),
            _home.c.name.label("organisation"),
            member.c.phone_sealed.label("phone"),
        )
        .join(_home, _home.c.id == member.c.home_id)
        .where(member.c.id == own.member_id)
    )


def _received(own: Own) -> Select[Any]:
    """Each message that was to reach them; what it said is there for notices and polls."""
    delivery, dispatch, notice, poll = T["delivery"], T["dispatch"], T["notice"], T["poll"]
    polls = ("poll", "poll_result", "poll_closed")
    return (
        select(
            dispatch.c.source.label("kind"),
            notice.c.text.label("notice"),
            poll.c.question.label("poll"),
            dispatch.c.created_at.label("began"),
            delivery.c.state,
            delivery.c.reason,
            delivery.c.at,
            delivery.c.chat_id.label("chat"),
        )
        .select_from(delivery)
        .join(dispatch, dispatch.c.id == delivery.c.dispatch_id)
        .outerjoin(notice, and_(dispatch.c.source == "notice", notice.c.id == dispatch.c.source_id))
        .outerjoin(poll, and_(dispatch.c.source.in_(polls), poll.c.id == dispatch.c.source_id))
        .where(delivery.c.member_id == own.member_id)
        .order_by(delivery.c.id)
    )


def _named_votes(own: Own) -> Select[Any]:
    vote, poll = T["named_vote"], T["poll"]
    return (
        select(poll.c.question, poll.c.options, vote.c.chosen)
        .join(poll, poll.c.id == vote.c.poll_id)
        .where(vote.c.member_id == own.member_id)
        .order_by(poll.c.id)
    )


def _readings(own: Own) -> Select[Any]:
    """Select what was done with the record, by whom; `detail` is sealed with the person's own key."""
    entry, actor = T["audit_entry"], T["member"].alias("actor")
    return (
        select(entry.c.at, entry.c.action, actor.c.name.label("by"), entry.c.detail_sealed.label("detail"))
        .select_from(entry.outerjoin(actor, actor.c.id == entry.c.actor_id))
        .where(entry.c.subject == "member", entry.c.subject_id == own.member_id)
        .order_by(entry.c.id)
    )


def _own_deeds(own: Own) -> Select[Any]:
    entry = T["audit_entry"]
    elsewhere = or_(entry.c.subject != "member", entry.c.subject_id != own.member_id)
    return (
        select(entry.c.at, entry.c.action, entry.c.subject, entry.c.subject_id.label("number"))
        .where(entry.c.actor_id == own.member_id, elsewhere)
        .order_by(entry.c.id)
    )


def _in_chats(table: str, *columns: str) -> Query:
    def query(own: Own) -> Select[Any]:
        base = T[table]
        return select(*(base.c[column] for column in columns)).where(own.at(base)).order_by(base.c.chat_id)

    return query


_ORGANISATION = {"organisation": ("organisation_id", "name")}

SECTIONS: tuple[Section, ...] = (
    Section("record", ("member.id",), _record),
    Section(
        "memberships",
        ("membership.member_id",),
        _of("membership", "kind", "since", "until", joined=_ORGANISATION),
    ),
    Section(
        "roles", ("role_grant.member_id",), _of("role_grant", "role", "since", "until", joined=_ORGANISATION)
    ),
    Section(
        "seats",
        ("seat.member_id",),
        _of("seat", "post", "part_time", "sending_unit", "since", "until", joined=_ORGANISATION),
    ),
    Section(
        "chats",
        ("account_link.member_id", "account_link.chat_id"),
        _of("account_link", "chat_id", "state", "place", "since", joined={"account": ("account_id", "name")}),
    ),
    Section("chat_languages", ("chat.chat_id",), _in_chats("chat", "chat_id", "language")),
    Section(
        "dialogues",
        ("fsm.chat_id", "fsm.user_id"),
        _in_chats("fsm", "chat_id", "state", "data", "changed_at"),
    ),
    Section("incoming", ("inbox.chat_id",), _in_chats("inbox", "chat_id", "state", "received_at", "done_at")),
    Section(
        "invitations",
        ("invitation.member_id",),
        _of("invitation", "form", "created_at", "expires_at", "used_at", "ended"),
    ),
    Section(
        "topics",
        ("subscription.member_id",),
        _of("subscription", joined={"topic": ("topic_id", "name")}, order=("topic_id",)),
    ),
    Section("received", ("delivery.member_id", "delivery.chat_id"), _received),
    Section(
        "digests",
        ("digest_recipient.member_id",),
        _of("digest_recipient", "day", order=("day",)),
    ),
    Section(
        "waiting_for_digest",
        ("digest_item.member_id",),
        _of("digest_item", "due_at", order=("delivery_id",)),
    ),
    Section(
        "daily_digest",
        ("daily_digest.member_id",),
        _of("daily_digest", "member_id", order=("member_id",)),
    ),
    Section(
        "confirmations",
        ("acknowledgement.member_id",),
        _of("acknowledgement", "at", joined={"notice": ("notice_id", "text")}, order=("notice_id",)),
    ),
    Section(
        "polls_taken_part",
        ("participation.member_id",),
        _of("participation", joined={"poll": ("poll_id", "question")}, order=("poll_id",)),
    ),
    Section("named_votes", ("named_vote.member_id",), _named_votes),
    Section(
        "suggestions",
        ("suggestion.member_id",),
        _of("suggestion", "day", "text", joined={"poll": ("poll_id", "question")}, order=("day",)),
    ),
    Section("service_reminders", ("service_lead.member_id",), _of("service_lead", "days", order=("days",))),
    Section(
        "calendar_address",
        ("calendar_address.member_id",),
        _of("calendar_address", "language", "since", order=("member_id",)),
    ),
    Section(
        "sign_ins", ("sign_in.member_id",), _of("sign_in", "language", "made_at", "opened_at", "seen_at")
    ),
    Section("readings", ("audit_entry.subject", "audit_entry.subject_id"), _readings),
    Section("deeds", ("audit_entry.actor_id",), _own_deeds),
    Section(
        "notices_written",
        ("notice.author_id",),
        _of("notice", "text", "state", "created_at", "sent_at", by="author_id", joined=_ORGANISATION),
    ),
    Section(
        "polls_written",
        ("poll.author_id",),
        _of("poll", "question", "state", "created_at", by="author_id", joined=_ORGANISATION),
    ),
    Section(
        "nudges",
        ("nudge.by_id",),
        _of("nudge", "at", by="by_id", joined={"notice": ("notice_id", "text")}, order=("at",)),
    ),
    Section(
        "invitations_made",
        ("invitation.created_by",),
        _of("invitation", "form", "created_at", "used_at", by="created_by"),
    ),
    Section(
        "roles_granted",
        ("role_grant.granted_by",),
        _of("role_grant", "role", "since", by="granted_by", joined=_ORGANISATION),
    ),
    Section(
        "organisation_changes",
        ("organisation_history.actor_id",),
        _of("organisation_history", "at", "what", "before", "after", by="actor_id", joined=_ORGANISATION),
    ),
    Section(
        "dissolutions_asked",
        ("dissolution.asked_by",),
        _of(
            "dissolution",
            "filing_number",
            "reason",
            "state",
            "asked_at",
            by="asked_by",
            joined=_ORGANISATION,
        ),
    ),
    Section(
        "dissolutions_decided",
        ("dissolution.decided_by",),
        _of("dissolution", "filing_number", "state", "decided_at", by="decided_by", joined=_ORGANISATION),
    ),
    Section(
        "sends_asked",
        ("send_request.asked_by",),
        _of("send_request", "way", "messages", "stars", "state", "asked_at", by="asked_by"),
    ),
    Section(
        "sends_decided",
        ("send_request.decided_by",),
        _of("send_request", "way", "messages", "stars", "state", "decided_at", by="decided_by"),
    ),
    Section(
        "suggestions_answered",
        ("suggestion_group.answered_by",),
        _of("suggestion_group", "title", "answer", "answered_at", by="answered_by", joined=_ORGANISATION),
    ),
    Section(
        "service_days_decided",
        ("service_day.decided_by",),
        _of("service_day", "date", "decided_at", by="decided_by", joined=_ORGANISATION),
    ),
    Section(
        "rosters",
        ("roster_import.actor_id",),
        _of("roster_import", "file_name", "state", "created_at", by="actor_id", joined=_ORGANISATION),
    ),
)
"""In the order in which a person reads them: who I am, what reached me, what I said, who looked, what I did."""

LEFT_OUT: dict[str, str] = {
    "account_link.decided_by": "repeated",
    "chat_claim.chat_id": "claims",
    "dispatch.author_id": "repeated",
    "dispatch.progress_chat_id": "screens",
    "forgotten.member_id": "forgotten",
    "media_file.chat_id": "films",
    "person_key.member_id": "keys",
    "roster_row.phone_hint": "staged",
    "roster_row.phone_index": "staged",
    "roster_row.phone_sealed": "staged",
    "roster_row.subject_id": "staged",
    "schedule.subject_id": "not_a_person",
    "sealed_suggestion.owner": "opened",
}
"""Columns that lead to a member and are no section of their own: worded by ``own_data.left_out.<reason>``."""

RECORD_LEFT_OUT = frozenset({"phone_index", "phone_hint"})
"""Columns of the record that say the same as the number itself."""
