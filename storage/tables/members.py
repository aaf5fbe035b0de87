"""Tables of members, their memberships with history, topics and subscriptions."""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class MemberRow(Table, table=True):
    """A member. `home_id` repeats the one open home membership, so that an audience is one index scan.

    `roster_number` is the number by which its own rosters know the person; empty where they have none.
    """

    __tablename__ = "member"
    __table_args__ = (
        Index("ix_member_home_id", "home_id", "status", "standing", "mobile", "id"),
        Index("ix_member_phone_index", "phone_index"),
        Index("ix_member_home_name", "home_id", "name"),
        Index(
            "ix_member_roster_number",
            "roster_number",
            sqlite_where=text("roster_number <> ''"),
            postgresql_where=text("roster_number <> ''"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    name: str
    home_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    standing: str = "full"
    status: str = "active"
    mobile: bool = False
    language: str = "zh_CN"
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    phone_sealed: bytes | None = None
    phone_index: bytes | None = None
    phone_hint: str = ""
    joined: date | None = None
    roster_number: str = ""


class MembershipRow(Table, table=True):
    """One stay in an organisation: exactly one open home a member, any number of hosts."""

    __tablename__ = "membership"
    __table_args__ = (
        Index("ix_membership_organisation_id", "organisation_id", "kind"),
        Index("ix_membership_member_id", "member_id"),
        Index(
            "uq_membership_open_home",
            "member_id",
            unique=True,
            sqlite_where=text("kind = 'home' AND until IS NULL"),
            postgresql_where=text("kind = 'home' AND until IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    kind: str = "home"
    since: date
    until: date | None = None


class TopicRow(Table, table=True):
    """A subject one may subscribe to; `by_default` says what a new member starts with."""

    __tablename__ = "topic"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    code: str = Field(unique=True)
    name: str
    name_en: str = ""
    by_default: bool = True
    position: int = 0


class SubscriptionRow(Table, table=True):
    """That a member wants a topic. A row is there or not; there is no third state."""

    __tablename__ = "subscription"
    __table_args__ = (
        PrimaryKeyConstraint("topic_id", "member_id", name="pk_subscription"),
        Index("ix_subscription_member_id", "member_id"),
        {"sqlite_with_rowid": False},
    )

    topic_id: int = Field(foreign_key="topic.id", sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
