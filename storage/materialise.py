"""The deliveries of a dispatch, written at once: one INSERT ... SELECT, cut into slices by a running number.

A million recipients never pass through Python (`add_all` took over a minute). Every member of the audience
has a row: who cannot be reached is skipped, with the reason.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.delivery import DeliveryState
from storage import accounts, halts
from storage.dispatches import COUNTERS
from storage.tables import metadata

account_link = metadata.tables["account_link"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
outcome_count = metadata.tables["outcome_count"]
slice_ = metadata.tables["slice"]

SLICE_SIZE = 1000
FEW_ACCOUNTS = 4
Members = Select[tuple[int]]
"""A select of member ids; it can be a million, and no service looks inside."""
Targets = Select[tuple[int, int, int, str]]
"""A select of members, each with the account and chat they are reached in, or the reason why in none."""


def named(member_ids: Sequence[int]) -> Select[tuple[int]]:
    """Select the members of these ids."""
    return select(member.c.id).where(member.c.id.in_(list(member_ids)))


def recipients(dispatch_id: int) -> Select[tuple[int]]:
    """Select the members who have a delivery of a dispatch and are still here."""
    return (
        select(delivery.c.member_id)
        .join(member, member.c.id == delivery.c.member_id)
        .where(delivery.c.dispatch_id == dispatch_id, member.c.status == "active")
    )


async def write(
    session: AsyncSession,
    dispatch_id: int,
    members: Select[tuple[int]],
    served: Collection[int] = (),
    *,
    home_only: bool = False,
) -> int:
    """Write one delivery for each of `members` (a select of member ids), cut into slices; return how many.

    With `served`, what is sent on another account (one that the settings name no more) waits for it: it comes last.
    `home_only` leaves out the accounts that keep their data abroad; else the statement is the usual one.
    """
    stopped = await halts.numbers(session)
    if served:
        stopped += await accounts.others(session, served)
    targets = _targets(members, await accounts.barred(session, home_only=home_only), stopped)
    last = await _cut_slices(session, dispatch_id, targets)
    await session.execute(_deliveries_of(dispatch_id, targets, last))
    return await _count(session, dispatch_id)


def _targets(members: Select[tuple[int]], barred: Sequence[int], stopped: Sequence[int]) -> Targets:
    """Select for each member the chat they prefer of those that reach them, if any; on a stopped account at last."""
    links = account_link.alias("candidate")
    allowed = (links.c.account_id.not_in(barred),) if barred else ()
    later = (case((links.c.account_id.in_(stopped), 1), else_=0),) if stopped else ()
    preferred = (
        select(links.c.id)
        .where(links.c.member_id == member.c.id, links.c.state == "active", *allowed)
        .order_by(*later, links.c.place, links.c.account_id)
        .limit(1)
        .scalar_subquery()
    )
    link = account_link.alias("link")
    reasons: list[tuple[ColumnElement[bool], str]] = [
        (member.c.stopped_at.is_not(None), "stopped"),
        (link.c.id.is_not(None), ""),
    ]
    if barred:
        reasons.append((_has_link("active"), "residency"))
    reason = case(*reasons, (_has_link("blocked"), "blocked"), else_="no_account")
    return (
        select(
            member.c.id.label("member_id"),
            link.c.account_id.label("account_id"),
            link.c.chat_id.label("chat_id"),
            reason.label("reason"),
        )
        .select_from(
            member.outerjoin(link, and_(member.c.stopped_at.is_(None), link.c.id == preferred)),
        )
        .where(member.c.id.in_(members))
    )


def _has_link(state: str) -> ColumnElement[bool]:
    linked = and_(account_link.c.member_id == member.c.id, account_link.c.state == state)
    return exists().where(linked).correlate(member)


async def _cut_slices(session: AsyncSession, dispatch_id: int, found: Targets) -> dict[int, int]:
    """Write the slices that the audience needs now; return the last slice's number per account."""
    targets = found.subquery()
    per_account = (
        select(targets.c.account_id, func.count().label("planned"))
        .where(targets.c.account_id.is_not(None))
        .group_by(targets.c.account_id)
    )
    last = {
        row.account_id: (row.planned - 1) // SLICE_SIZE for row in (await session.execute(per_account)).all()
    }
    fresh = dict.fromkeys(("fence", "planned", *COUNTERS), 0) | {"done": False}
    rows = [
        {"dispatch_id": dispatch_id, "account_id": account_id, "number": number, **fresh}
        for account_id, highest in sorted(last.items())
        for number in range(highest + 1)
    ]
    if rows:
        await session.execute(insert(slice_), rows)
    return last


def _deliveries_of(dispatch_id: int, found: Targets, last: dict[int, int]) -> Insert:
    """Build the INSERT ... SELECT. Whoever gained a link since the slices were cut falls into the last one."""
    targets = found.subquery()
    # `//` makes PostgreSQL's a float
    number = _places(targets, last).op("/", precedence=8, return_type=Integer)(SLICE_SIZE)
    highest = case(last, value=targets.c.account_id, else_=-1) if last else literal(-1)
    numbered = select(targets, number.label("number"), highest.label("highest")).subquery()
    capped = case((numbered.c.number > numbered.c.highest, numbered.c.highest), else_=numbered.c.number)
    # A join would be quadratic: the planner knows no figures of slices written in this transaction.
    slice_id = select(slice_.c.id).where(
        slice_.c.dispatch_id == dispatch_id,
        slice_.c.account_id == numbered.c.account_id,
        slice_.c.number == capped,
    )
    cut = numbered.c.highest >= 0
    rows = select(
        literal(dispatch_id),
        slice_id.scalar_subquery(),
        numbered.c.member_id,
        numbered.c.account_id,
        numbered.c.chat_id,
        case((cut, DeliveryState.WAITING.value), else_=DeliveryState.SKIPPED.value),
        case((cut, ""), (numbered.c.reason == "", "no_account"), else_=numbered.c.reason),
        literal(0),
    )
    columns = ["dispatch_id", "slice_id", "member_id", "account_id", "chat_id", "state", "reason", "attempt"]
    return insert(delivery).from_select(columns, rows)


def _places(targets: Subquery, last: dict[int, int]) -> ColumnElement[int]:
    """Return each member's number on their account, from 0 on; sums that run along spare sorting a city by account."""
    if not 0 < len(last) <= FEW_ACCOUNTS:
        return func.row_number().over(partition_by=targets.c.account_id, order_by=targets.c.member_id) - 1
    running = {
        account_id: func.sum(case((targets.c.account_id == account_id, 1), else_=0)).over(
            order_by=targets.c.member_id, rows=(None, 0)
        )
        for account_id in sorted(last)
    }
    return case(running, value=targets.c.account_id) - 1


async def _count(session: AsyncSession, dispatch_id: int) -> int:
    """Set the planned counters and the counts of the skipped from what was written."""
    grouped = (
        select(delivery.c.slice_id, delivery.c.reason, func.count().label("planned"))
        .where(delivery.c.dispatch_id == dispatch_id)
        .group_by(delivery.c.slice_id, delivery.c.reason)
    )
    rows = (await session.execute(grouped)).all()
    planned = {row.slice_id: row.planned for row in rows if row.slice_id is not None}
    skipped = {row.reason: row.planned for row in rows if row.slice_id is None}
    if planned:
        one = update(slice_).where(slice_.c.id == bindparam("slice")).values(planned=bindparam("count"))
        counts = [{"slice": number, "count": count} for number, count in planned.items()]
        await (await session.connection()).execute(one, counts)
    if skipped:
        fields = {"dispatch_id": dispatch_id, "state": DeliveryState.SKIPPED}
        reasons = [{**fields, "reason": reason, "count": count} for reason, count in skipped.items()]
        await session.execute(insert(outcome_count), reasons)
    empty = and_(slice_.c.dispatch_id == dispatch_id, slice_.c.planned == 0)
    await session.execute(delete(slice_).where(empty))
    total = int(sum(planned.values()) + sum(skipped.values()))
    await session.execute(update(dispatch).where(dispatch.c.id == dispatch_id).values(planned=total))
    return total
