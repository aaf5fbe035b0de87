"""The claim's look at a slice: who is next, with everything that decides whether they are sent to.

Read together, so that a `/stop`, a pause and a dissolved right act at once (`storage.deliveries` judges).
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    false,
    or_,
    select,
    true,
)

from domain.accounts import HOME_COUNTRY
from domain.delivery import DeliveryState, DispatchState
from storage import chat_pace
from storage.tables import metadata
from storage.tables.columns import BigInt, UtcDateTime

account_ = metadata.tables["account"]
account_link = metadata.tables["account_link"]
acknowledgement = metadata.tables["acknowledgement"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
organisation = metadata.tables["organisation"]
pace = metadata.tables["pace"]
slice_ = metadata.tables["slice"]
subscription = metadata.tables["subscription"]

FACTS = slice(7, None)
"""The columns on which it depends whether somebody is sent to."""


@cache
def look(dialect: str, *, topical: bool, nudge: bool, home_only: bool = False) -> Select[Any]:
    """Build the claim's look at a slice, once: to build it costs as much as to run it.

    Who is next is picked before anything is joined, and the limit stands in the words: PostgreSQL, which has to guess
    else how many are wanted, planned a claim of 3 anew each time, at three times its cost.
    """
    picked = _picked()
    link, is_theirs = _link_of(picked, dialect)
    account = bindparam("account", type_=Integer)
    subscribed = exists().where(
        subscription.c.topic_id == bindparam("topic", type_=BigInt),
        subscription.c.member_id == picked.c.member_id,
    )
    confirmed = exists().where(
        acknowledgement.c.notice_id == bindparam("notice", type_=BigInt),
        acknowledgement.c.member_id == picked.c.member_id,
    )
    abroad = account_.c.residency != HOME_COUNTRY
    refused = or_(account_.c.barred, abroad) if home_only else account_.c.barred
    return (
        select(
            picked.c.id,
            picked.c.member_id,
            picked.c.attempt,
            picked.c.reason,
            link.c.chat_id,
            member.c.language,
            chat_pace.answered(link).label("busy"),
            link.c.state.label("link_state"),  # from here on: what decides whether it is sent
            member.c.stopped_at,
            member.c.status,
            organisation.c.zone,
            (subscribed if topical else picked.c.id.is_not(None)).label("subscribed"),
            (confirmed if nudge else false()).label("settled"),
            select(refused).where(account_.c.id == account).scalar_subquery().label("barred"),
        )
        .select_from(picked)
        .join(member, member.c.id == picked.c.member_id)
        .join(organisation, organisation.c.id == member.c.home_id)
        .outerjoin(link, is_theirs)
        .order_by(picked.c.id)
    )


def _link_of(picked: Subquery, dialect: str) -> tuple[FromClause, ColumnElement[bool]]:
    """Return the link by which each is reached now, and what joins it to them.

    A lateral one, which SQLite does not know, is looked up for each; any other PostgreSQL took from a table of all.
    """
    nearest = account_link.alias("nearest")
    wanted = (
        select(nearest.c.id, nearest.c.chat_id, nearest.c.state)
        .where(
            nearest.c.member_id == picked.c.member_id,
            nearest.c.account_id == bindparam("account", type_=Integer),
            nearest.c.state.in_(["active", "blocked"]),
        )
        .order_by(case((nearest.c.state == "active", 0), else_=1), nearest.c.id)
        .limit(1)
    )
    if dialect == "postgresql":
        return wanted.lateral("link"), true()
    link = account_link.alias("link")
    return link, link.c.id == wanted.with_only_columns(nearest.c.id).scalar_subquery()


def _picked() -> Subquery:
    """Select the next that are due of a slice in hand, but for those to whom another dispatch wrote just now."""
    now = bindparam("now", type_=UtcDateTime)
    held = exists().where(
        pace.c.account_id == bindparam("account", type_=Integer),
        or_(pace.c.held_until > now, pace.c.halted_at.is_not(None)),
    )
    return (
        select(delivery.c.id, delivery.c.member_id, delivery.c.attempt, delivery.c.reason)
        .join(slice_, and_(slice_.c.id == delivery.c.slice_id, slice_.c.fence == bindparam("fence")))
        .join(dispatch, dispatch.c.id == slice_.c.dispatch_id)
        .where(
            delivery.c.slice_id == bindparam("slice_id"),
            delivery.c.id > bindparam("beyond", type_=BigInt),
            delivery.c.state == DeliveryState.WAITING,
            or_(delivery.c.retry_at.is_(None), delivery.c.retry_at <= now),
            dispatch.c.state == DispatchState.RUNNING,
            dispatch.c.generation == bindparam("generation"),
            ~held,
            ~chat_pace.told(delivery, dispatch),
        )
        .order_by(delivery.c.id)
        .limit(bindparam("most", type_=Integer, literal_execute=True))
        .subquery("picked")
    )
