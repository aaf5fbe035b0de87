"""The first rows of an empty database: the root of the tree and its secretary, joined to a chat."""

from datetime import date, datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import LinkState
from domain.members import MembershipKind
from domain.organisations import Level, OrganisationKind
from domain.permissions import Role
from storage import accounts
from storage.tables import (
    AccountLinkRow,
    MemberRow,
    MembershipRow,
    OrganisationRow,
    RoleGrantRow,
    SeatRow,
    SubscriptionRow,
    TopicRow,
)

TOPICS = (
    ("policy", "政策解读", "Policy"),
    ("study", "学习教育", "Study"),
    ("service", "志愿服务", "Volunteering"),
    ("life", "组织生活", "Branch life"),
)


async def plant(
    session: AsyncSession, *, root: str, person: str, account: str, chat_id: int, today: date, now: datetime
) -> int:
    """Write the root organisation, its secretary with an active link, and the first topics; returns the member's id."""
    account_id = await accounts.put_account(
        session, name=account, residency="CN", verifies_phones=False, deep_link_template=""
    )
    node = OrganisationRow(
        path="pending", name=root, kind=OrganisationKind.COMMITTEE, level=Level.CITY, founded=today
    )
    session.add(node)
    await session.flush()
    node.path = f"/{node.id}/"
    assert node.id is not None  # noqa: S101 - flushed
    member = MemberRow(name=person, home_id=node.id)
    session.add(member)
    await session.flush()
    assert member.id is not None  # noqa: S101 - flushed
    where: dict[str, Any] = {"organisation_id": node.id, "member_id": member.id, "since": today}
    session.add(MembershipRow(kind=MembershipKind.HOME, **where))
    session.add(RoleGrantRow(role=Role.SECRETARY, **where))
    session.add(SeatRow(post="secretary", **where))
    session.add(
        AccountLinkRow(
            member_id=member.id, account_id=account_id, chat_id=chat_id, state=LinkState.ACTIVE, since=now
        )
    )
    for position, (code, name, name_en) in enumerate(TOPICS):
        topic = TopicRow(code=code, name=name, name_en=name_en, position=position)
        session.add(topic)
        await session.flush()
        session.add(SubscriptionRow(topic_id=topic.id or 0, member_id=member.id))
    return member.id
