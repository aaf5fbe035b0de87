"""Writing the demo's rows: members in batches, everything that follows from them by set-based statements.

Shares are arithmetic on the member's id, so that the same database comes out each time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, insert, literal, or_, select, text, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState, DispatchState
from domain.members import MembershipKind
from storage.outcomes import EXPLAINED
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

account = metadata.tables["account"]
account_link = metadata.tables["account_link"]
acknowledgement = metadata.tables["acknowledgement"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
membership = metadata.tables["membership"]
meta = metadata.tables["meta"]
organisation = metadata.tables["organisation"]
outcome_count = metadata.tables["outcome_count"]
participation = metadata.tables["participation"]
slice_ = metadata.tables["slice"]
subscription = metadata.tables["subscription"]

SHOWN = 3
"""The first members are the people the demo is seen through: nothing ever fails for them."""


@dataclass(frozen=True, slots=True)
class ChatPerson:
    """A demo member with a chat."""

    member_id: int
    chat_id: int
    name: str
    language: str


async def is_empty(session: AsyncSession) -> bool:
    return (await session.execute(select(organisation.c.id).limit(1))).first() is None


async def is_demo(session: AsyncSession) -> bool:
    return (await session.execute(select(meta.c.value).where(meta.c.name == "demo"))).scalar() == "yes"


async def mark(session: AsyncSession) -> None:
    await session.execute(insert(meta).values(name="demo", value="yes"))


async def add(session: AsyncSession, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows as one batch."""
    if rows:
        await session.execute(insert(metadata.tables[table]), [dict(row) for row in rows])


async def count_on(session: AsyncSession, *tables: str) -> None:
    """Let PostgreSQL number on behind the ids that were given; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for name in tables:
        last = select(func.max(metadata.tables[name].c.id)).scalar_subquery()
        await session.execute(select(func.setval(func.pg_get_serial_sequence(name, "id"), last)))


async def look_over(session: AsyncSession) -> None:
    """Let the database learn how its rows are spread, which it needs for good plans."""
    await session.execute(text("ANALYZE"))


async def account_named(session: AsyncSession, name: str) -> int:
    """Return the account of that name; it is made if the settings did not yet."""
    found = (await session.execute(select(account.c.id).where(account.c.name == name))).scalar()
    if found is None:
        values = {"name": name, "residency": "CN", "verifies_phones": False, "deep_link_template": ""}
        made = await session.execute(insert(account).values(values).returning(account.c.id))
        found = made.scalar_one()
    return int(found)


async def settle_homes(session: AsyncSession) -> None:
    """Give every member their home membership, from the day they joined."""
    homes = select(member.c.id, member.c.home_id, literal(MembershipKind.HOME.value), member.c.joined)
    columns = ["member_id", "organisation_id", "kind", "since"]
    await session.execute(insert(membership).from_select(columns, homes))


async def settle_hosts(session: AsyncSession, hosts: Sequence[int]) -> None:
    """Give every mobile member a host out of a run of organisations with successive ids."""
    host = literal(hosts[0]) + member.c.id % len(hosts)
    stays = select(member.c.id, host, literal(MembershipKind.HOST.value), member.c.joined)
    columns = ["member_id", "organisation_id", "kind", "since"]
    await session.execute(insert(membership).from_select(columns, stays.where(member.c.mobile)))


async def stop_some(session: AsyncSession, at: datetime) -> None:
    """Let about three in a hundred have sent /stop."""
    await session.execute(update(member).where(member.c.id > SHOWN, _one_in(29)).values(stopped_at=at))


async def link_most(session: AsyncSession, account_id: int, first_chat: int, at: datetime) -> None:
    """Link nine in ten to a chat; about three in a hundred of them have blocked the bot since."""
    state = case((and_(member.c.id > SHOWN, _one_in(33)), "blocked"), else_="active")
    chat = member.c.id + first_chat
    rows = select(member.c.id, literal(account_id), chat, state, literal(at, UtcDateTime))
    columns = ["member_id", "account_id", "chat_id", "state", "since"]
    wanted = rows.where((member.c.id <= SHOWN) | ~_one_in(10))
    await session.execute(insert(account_link).from_select(columns, wanted))


async def subscribe(session: AsyncSession, topic_id: int, percent: int) -> None:
    """Subscribe so many in a hundred to a topic."""
    share = (member.c.id * 37 + topic_id * 11) % 100 < percent
    rows = select(literal(topic_id), member.c.id).where((member.c.id <= SHOWN) | share)
    await session.execute(insert(subscription).from_select(["topic_id", "member_id"], rows))


async def finish_dispatch(session: AsyncSession, dispatch_id: int, at: datetime) -> None:
    """End a dispatch as if it had run: nearly all sent, a few unreachable, failed or unknown."""
    mine = and_(delivery.c.dispatch_id == dispatch_id, delivery.c.slice_id.is_not(None))
    lot = (delivery.c.member_id * 31 + dispatch_id * 17) % 1000
    shown = delivery.c.member_id <= SHOWN
    state = _fate(shown, lot, "sent", "unreachable", "failed", "unknown")
    reason = _fate(shown, lot, "", "blocked", "no_connection", "no_reply")
    await session.execute(
        update(delivery)
        .where(mine)
        .values(state=state, reason=reason, attempt=1, at=at, message_id=delivery.c.id)
        .execution_options(synchronize_session=False)
    )
    for name in (DeliveryState.SENT, DeliveryState.UNREACHABLE, DeliveryState.FAILED, DeliveryState.UNKNOWN):
        ended = (
            select(func.count())
            .where(delivery.c.slice_id == slice_.c.id, delivery.c.state == name)
            .scalar_subquery()
        )
        await session.execute(
            update(slice_)
            .where(slice_.c.dispatch_id == dispatch_id)
            .values({name.value: ended, "done": True})
        )
    explained = (
        select(delivery.c.dispatch_id, delivery.c.state, delivery.c.reason, func.count())
        .where(mine, delivery.c.state.in_(EXPLAINED))
        .group_by(delivery.c.dispatch_id, delivery.c.state, delivery.c.reason)
    )
    columns = ["dispatch_id", "state", "reason", "count"]
    await session.execute(insert(outcome_count).from_select(columns, explained))
    over = update(dispatch).where(dispatch.c.id == dispatch_id)
    await session.execute(over.values(state=DispatchState.DONE, finished_at=at))


async def confirm_most(session: AsyncSession, notice_id: int, dispatch_id: int, at: datetime) -> None:
    """Let four in five of those who got a notice have confirmed it."""
    got = and_(delivery.c.dispatch_id == dispatch_id, delivery.c.state == DeliveryState.SENT)
    rows = select(literal(notice_id), delivery.c.member_id, literal(at, UtcDateTime))
    wanted = rows.where(got, delivery.c.member_id % 5 > 0)
    await session.execute(insert(acknowledgement).from_select(["notice_id", "member_id", "at"], wanted))


async def take_part(
    session: AsyncSession, poll_id: int, dispatch_id: int, one_in: int, *, shown: bool
) -> dict[str, int]:
    """Let one in so many who got a poll's call have taken part; returns how many by the path of their home."""
    got = and_(delivery.c.dispatch_id == dispatch_id, delivery.c.state == DeliveryState.SENT)
    known = delivery.c.member_id <= SHOWN
    some = and_(~known, delivery.c.member_id % one_in == 0)
    rows = select(literal(poll_id), delivery.c.member_id).where(got, or_(known, some) if shown else some)
    await session.execute(insert(participation).from_select(["poll_id", "member_id"], rows))
    counted = (
        select(organisation.c.path, func.count().label("voters"))
        .join(member, member.c.home_id == organisation.c.id)
        .join(participation, participation.c.member_id == member.c.id)
        .where(participation.c.poll_id == poll_id)
        .group_by(organisation.c.path)
    )
    return {row.path: row.voters for row in (await session.execute(counted)).all()}


async def chat_people(session: AsyncSession, account_name: str, limit: int) -> list[ChatPerson]:
    """Return members with a chat on an account, in order of their ids."""
    rows = (
        select(member.c.id, account_link.c.chat_id, member.c.name, member.c.language)
        .join(account_link, account_link.c.member_id == member.c.id)
        .join(account, account.c.id == account_link.c.account_id)
        .where(account.c.name == account_name, account_link.c.state.in_(["active", "blocked"]))
        .order_by(member.c.id)
        .limit(limit)
    )
    return [
        ChatPerson(row.id, row.chat_id, row.name, row.language) for row in (await session.execute(rows)).all()
    ]


def _one_in(number: int) -> ColumnElement[bool]:
    return member.c.id % number == 0


def _fate(shown: ColumnElement[bool], lot: ColumnElement[int], *values: str) -> ColumnElement[str]:
    usual, gone, failed, lost = values
    return case((shown, usual), (lot < 6, gone), (lot < 10, failed), (lot < 12, lost), else_=usual)  # noqa: PLR2004 - parts in a thousand
