"""Which chats of an account were written to a moment ago, by a delivery or by an answer (`domain.chat_pace`).

Nothing is written for it. What other dispatches sent stands in their deliveries, what is answered stands in the inbox,
and both are looked at only while there is something to see: another dispatch that was granted pace lately, an update.
A chat for which an urgent word waits is left to that: else each dispatch that is there first keeps it waiting anew.
Claims of one account are taken one after the other, or two of them would not see each other's.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    and_,
    bindparam,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.chat_pace import GROUP_GAP, PRIVATE_GAP, UNDER_WAY
from domain.delivery import DeliveryState, DispatchState, Lane
from storage.inbox import OPEN
from storage.tables import metadata
from storage.tables.columns import UtcDateTime

delivery = metadata.tables["delivery"]
rival = metadata.tables["dispatch"].alias("rival")
inbox = metadata.tables["inbox"]
pace = metadata.tables["pace"]
share = metadata.tables["pace_share"]

CLAIMS = 0x63686174
"""Any number that no other use of PostgreSQL's advisory locks by two numbers has."""
LEFT = (DeliveryState.SENT, DeliveryState.UNKNOWN)


async def one_at_a_time(session: AsyncSession, account_id: int) -> None:
    """Wait until no other claim of this account is open; SQLite has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(_LOCK, {"account": account_id})


def given(now: datetime) -> dict[str, Any]:
    """Return the parameters of the looks that the time decides."""
    return {
        "under_way": now - UNDER_WAY,
        "private_since": now - PRIVATE_GAP,
        "group_since": now - GROUP_GAP,
        "shared_since": (now - UNDER_WAY - GROUP_GAP).timestamp(),
        "answered_since": (now - GROUP_GAP).timestamp(),
    }


def told(whose: FromClause, own: FromClause) -> ColumnElement[bool]:
    """Say of a delivery (`whose`, of the dispatch `own`) whether another dispatch writes to its member, or did just now.

    The gate is asked once a statement. Behind it each costs a look by an index, of which the `LIMIT` keeps PostgreSQL
    from making one look at everything.
    """
    other = delivery.alias("other")
    on_its_way = and_(other.c.state == DeliveryState.SENDING, other.c.at > _UNDER_WAY)
    private, group = other.c.at > _PRIVATE, and_(other.c.chat_id < 0, other.c.at > _GROUP)
    goes_first = and_(
        own.c.lane != Lane.URGENT,
        rival.c.lane == Lane.URGENT,
        rival.c.state == DispatchState.RUNNING,
        other.c.state == DeliveryState.WAITING,
        or_(other.c.retry_at.is_(None), other.c.retry_at <= _NOW),
    )
    found = (
        select(literal(1))
        .select_from(share)
        .join(rival, rival.c.id == share.c.dispatch_id)
        .join(other, other.c.dispatch_id == share.c.dispatch_id)
        .where(
            _RIVAL,
            other.c.member_id == whose.c.member_id,
            other.c.account_id == _ACCOUNT,
            or_(goes_first, on_its_way, and_(other.c.state.in_(LEFT), or_(private, group))),
        )
        .limit(1)
        .correlate(whose, own)
        .scalar_subquery()
    )
    return and_(_rivals(), found.is_not(None))


def answered(link: FromClause) -> ColumnElement[bool]:
    """Say of a link whether what came from its chat is being answered, or was just now."""
    private, group = inbox.c.done_at > _PRIVATE, and_(link.c.chat_id < 0, inbox.c.done_at > _GROUP)
    mine = and_(inbox.c.account_id == _ACCOUNT, inbox.c.chat_id == link.c.chat_id)
    waits = (
        select(literal(1))
        .where(mine, inbox.c.state.in_(OPEN), inbox.c.received_at > _UNDER_WAY)
        .limit(1)
        .correlate(link)
        .scalar_subquery()
    )
    went = (
        select(or_(private, group))
        .where(mine, inbox.c.state == "done")
        .order_by(inbox.c.id.desc())
        .limit(1)
        .correlate(link)
        .scalar_subquery()
    )
    return and_(_answering(), or_(waits.is_not(None), func.coalesce(went, false())))


def _rivals() -> ColumnElement[bool]:
    return exists().where(rival.c.id == share.c.dispatch_id, _RIVAL)


def _answering() -> ColumnElement[bool]:
    came = exists().where(
        inbox.c.state.in_(OPEN), inbox.c.account_id == _ACCOUNT, inbox.c.received_at > _UNDER_WAY
    )
    went = exists().where(pace.c.account_id == _ACCOUNT, pace.c.reply_arrival > _ANSWERED)
    return or_(came, went)


_ACCOUNT = bindparam("account", type_=Integer)
_NOW = bindparam("now", type_=UtcDateTime)
_UNDER_WAY = bindparam("under_way", type_=UtcDateTime)
_PRIVATE = bindparam("private_since", type_=UtcDateTime)
_GROUP = bindparam("group_since", type_=UtcDateTime)
_ANSWERED = bindparam("answered_since", type_=Float)
_RIVAL = and_(
    share.c.account_id == _ACCOUNT,
    share.c.dispatch_id != bindparam("dispatch", type_=BigInteger),
    share.c.at > bindparam("shared_since", type_=Float),
    or_(
        rival.c.finished_at.is_(None),
        rival.c.finished_at > _GROUP,
        and_(rival.c.state == DispatchState.CANCELLED, rival.c.finished_at > _UNDER_WAY),
    ),
)
"""A dispatch that is done has nothing under way; one that was cancelled may have."""
_LOCK = select(func.pg_advisory_xact_lock(literal(CLAIMS, Integer), _ACCOUNT))
