"""Forgetting a member: what becomes of each column that leads to them. Counts stay, with nobody behind them.

The member's row stays without any content, so that deliveries and votes still count.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import Address
from domain.members import MemberStatus
from domain.permissions import Role
from domain.polls import ENDED, PollState
from storage import accounts
from storage.fates import FATES, NOBODY, Fate
from storage.own_data import polls_with_suggestions
from storage.tables import metadata

T = metadata.tables


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who is being forgotten, the chats that are theirs alone, and by what their sealed suggestions are found."""

    member_id: int
    chats: tuple[Address, ...]
    owner: Callable[[int], bytes] | None

    def at(self, account_id: ColumnElement[Any], chat_id: ColumnElement[Any]) -> ColumnElement[bool]:
        """Say that a row is of one of their chats."""
        chats = (and_(account_id == chat.account_id, chat_id == chat.chat_id) for chat in self.chats)
        return or_(false(), *chats)


Rule = Callable[[AsyncSession, Leaving], Awaitable[None]]


async def wipe(session: AsyncSession, member_id: int, owner: Callable[[int], bytes] | None = None) -> bool:
    """Forget a member; `False` if there is none, or they were forgotten. `owner` names their sealed suggestions."""
    member = T["member"]
    held = select(member.c.status).where(member.c.id == member_id).with_for_update()
    status: str | None = (await session.execute(held)).scalar()
    if status is None:
        return False
    leaving = Leaving(member_id, tuple(await _chats(session, member_id)), owner)
    for rule in RULES:
        await rule(session, leaving)
    await _follow(session, member_id)
    await session.execute(update(member).where(member.c.id == member_id).values(NOBODY))
    return status != MemberStatus.FORGOTTEN


async def count(session: AsyncSession, member_id: int) -> dict[str, int]:
    """Count what will be deleted, by table; what is not there is left out."""
    found = {}
    for table, column in _columns(Fate.GOES):
        counted = select(func.count()).select_from(table).where(column == member_id)
        number = int((await session.execute(counted)).scalar_one())
        if number:
            found[table.name] = number
    return found


async def drop_counted_votes(session: AsyncSession) -> None:
    """Drop named votes of the forgotten whose polls have ended since."""
    vote, poll, member = T["named_vote"], T["poll"], T["member"]
    counted = select(poll.c.id).where(poll.c.state.in_(list(ENDED)))
    forgotten = select(member.c.id).where(member.c.status == MemberStatus.FORGOTTEN)
    await session.execute(delete(vote).where(vote.c.poll_id.in_(counted), vote.c.member_id.in_(forgotten)))


async def led_by_others(session: AsyncSession, member_id: int, node_ids: Sequence[int], on: date) -> set[int]:
    """Return which of these organisations have another secretary of their own on that day."""
    grant = T["role_grant"]
    others = select(grant.c.organisation_id).where(
        grant.c.organisation_id.in_(node_ids),
        grant.c.member_id != member_id,
        grant.c.role == Role.SECRETARY,
        grant.c.since <= on,
        or_(grant.c.until.is_(None), grant.c.until >= on),
    )
    return set((await session.execute(others)).scalars())


async def count_scheduled(session: AsyncSession, member_id: int) -> int:
    """Count what a member has scheduled, which nobody may send in their place."""
    total, waiting = 0, ["scheduled", "repeating"]
    for table in (T["notice"], T["poll"]):
        theirs = select(func.count()).where(table.c.author_id == member_id, table.c.state.in_(waiting))
        total += int((await session.execute(theirs)).scalar_one())
    return total


async def _follow(session: AsyncSession, member_id: int) -> None:
    """Do what `FATES` says of columns that hold the member's id, children before parents."""
    for table, column in _columns(Fate.GOES):
        await session.execute(delete(table).where(column == member_id))
    for table, column in _columns(Fate.EMPTIED):
        await session.execute(update(table).where(column == member_id).values({column.name: None}))


def _columns(fate: Fate) -> list[tuple[Any, Any]]:
    return [
        (table, column)
        for table in reversed(metadata.sorted_tables)
        for column in table.columns
        if FATES.get(f"{table.name}.{column.name}") is fate
    ]


async def _chats(session: AsyncSession, member_id: int) -> list[Address]:
    """Return the chats that are or were this member's, but for those that are somebody else's by now."""
    link = T["account_link"]
    other = link.alias("other")
    taken = exists().where(
        other.c.account_id == link.c.account_id,
        other.c.chat_id == link.c.chat_id,
        other.c.member_id != member_id,
        accounts.lasts(other),
    )
    found = select(link.c.account_id, link.c.chat_id).where(link.c.member_id == member_id, ~taken).distinct()
    return [Address(row.account_id, row.chat_id) for row in await session.execute(found)]


async def _chat_rows(session: AsyncSession, leaving: Leaving) -> None:
    """Drop what was begun in their chats, what went wrong there, the language chosen there, and films given there."""
    for name in ("fsm", "chat", "media_file"):
        table = T[name]
        await session.execute(delete(table).where(leaving.at(table.c.account_id, table.c.chat_id)))
    inbox, dispatch = T["inbox"], T["dispatch"]
    theirs = leaving.at(inbox.c.account_id, inbox.c.chat_id)
    await session.execute(delete(inbox).where(theirs, inbox.c.state == "quarantined"))
    await session.execute(update(inbox).where(theirs, inbox.c.state == "done").values(chat_id=None, raw=None))
    shown = leaving.at(dispatch.c.progress_account_id, dispatch.c.progress_chat_id)
    nowhere = {"progress_account_id": None, "progress_chat_id": None, "progress_message_id": None}
    await session.execute(update(dispatch).where(shown).values(nowhere))


async def _alerts(session: AsyncSession, leaving: Leaving) -> None:
    """Let alerts about their links name no link: SQLite gives the number of the last one away again."""
    link, dispatch = T["account_link"], T["dispatch"]
    links = select(link.c.id).where(link.c.member_id == leaving.member_id)
    about = and_(dispatch.c.source.in_(["link_waiting", "link_joined"]), dispatch.c.source_id.in_(links))
    await session.execute(update(dispatch).where(about).values(source_id=0))


async def _deliveries(session: AsyncSession, leaving: Leaving) -> None:
    """Leave a delivery its outcome, and neither chat nor hour; one that waits is skipped when its turn comes."""
    delivery = T["delivery"]
    theirs = delivery.c.member_id == leaving.member_id
    await session.execute(update(delivery).where(theirs).values(chat_id=None, message_id=None))
    over = delivery.c.state.not_in(["waiting", "sending"])
    await session.execute(update(delivery).where(theirs, over).values(at=None))


async def _acknowledgements(session: AsyncSession, leaving: Leaving) -> None:
    """Give a confirmation the moment of its notice instead of its own."""
    acknowledgement, notice = T["acknowledgement"], T["notice"]
    moment = func.coalesce(notice.c.sent_at, notice.c.created_at)
    of_notice = select(moment).where(notice.c.id == acknowledgement.c.notice_id).scalar_subquery()
    theirs = acknowledgement.c.member_id == leaving.member_id
    await session.execute(update(acknowledgement).where(theirs).values(at=of_notice))


async def _drafts(session: AsyncSession, leaving: Leaving) -> None:
    """Drop drafts, their author's alone; what went out stays the organisation's."""
    notice, poll = T["notice"], T["poll"]
    mine = and_(notice.c.author_id == leaving.member_id, notice.c.state == "draft")
    await session.execute(delete(notice).where(mine))
    mine = and_(poll.c.author_id == leaving.member_id, poll.c.state == PollState.DRAFT)
    await session.execute(delete(poll).where(mine))


async def _votes(session: AsyncSession, leaving: Leaving) -> None:
    """Drop named votes that are counted; in a poll that is still open one counts on, for nobody by name."""
    vote, poll = T["named_vote"], T["poll"]
    counted = select(poll.c.id).where(poll.c.state.in_(list(ENDED)))
    theirs = vote.c.member_id == leaving.member_id
    await session.execute(delete(vote).where(theirs, vote.c.poll_id.in_(counted)))


async def _suggestions(session: AsyncSession, leaving: Leaving) -> None:
    """Drop what they suggested by name, and what still waits under seal in a poll, named or not."""
    suggestion, sealed = T["suggestion"], T["sealed_suggestion"]
    named = delete(suggestion).where(suggestion.c.member_id == leaving.member_id)
    gone = await session.execute(named.returning(suggestion.c.group_id, suggestion.c.text))
    for row in gone.all():
        await _retitle(session, row.group_id, row.text)
    if leaving.owner is None:
        return
    for poll_id in await polls_with_suggestions(session):
        theirs = and_(sealed.c.poll_id == poll_id, sealed.c.owner == leaving.owner(poll_id))
        await session.execute(delete(sealed).where(theirs))


async def _retitle(session: AsyncSession, group_id: int | None, title: str) -> None:
    """Let a group that is called by what is gone be called by another of its suggestions."""
    suggestion, group = T["suggestion"], T["suggestion_group"]
    part = group.alias("part")
    parts = select(part.c.id).where(or_(part.c.id == group.c.id, part.c.merged_into == group.c.id))
    another = (
        select(suggestion.c.text)
        .where(suggestion.c.group_id.in_(parts.correlate(group)))
        .order_by(suggestion.c.day, suggestion.c.id)
        .limit(1)
        .scalar_subquery()
    )
    leads = select(part.c.merged_into).where(part.c.id == group_id)
    called = and_(or_(group.c.id == group_id, group.c.id.in_(leads)), group.c.title == title)
    await session.execute(update(group).where(called).values(title=func.coalesce(another, "")))


async def _rosters(session: AsyncSession, leaving: Leaving) -> None:
    """Drop lines of a roster that waits to be taken in: they must not fill an emptied record again."""
    line, member = T["roster_row"], T["member"]
    imports = select(T["roster_import"].c.id)
    own = select(member.c.name, member.c.phone_index).where(member.c.id == leaving.member_id)
    found = (await session.execute(own)).one()
    same = and_(line.c.subject_id == leaving.member_id, line.c.name == found.name)
    if found.phone_index is not None:
        same = or_(same, line.c.phone_index == found.phone_index)
    await session.execute(delete(line).where(line.c.import_id.in_(imports), same))


RULES: tuple[Rule, ...] = (
    _chat_rows,
    _alerts,
    _deliveries,
    _acknowledgements,
    _drafts,
    _votes,
    _suggestions,
    _rosters,
)
"""What takes more than a look at one column; a feature that needs such a rule adds it here."""
