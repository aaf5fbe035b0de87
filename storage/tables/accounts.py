"""Tables of messenger accounts, the links of chats to members, and invitations."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class AccountRow(Table, table=True):
    """One bot account of the settings; the token stays in the settings."""

    __tablename__ = "account"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    residency: str = "CN"
    barred: bool = False  # its residency is not allowed here: nothing may go through it
    verifies_phones: bool = False
    deep_link_template: str = ""


class AccountLinkRow(Table, table=True):
    """The join of a chat (account, chat_id) and a member."""

    __tablename__ = "account_link"
    __table_args__ = (
        Index("ix_account_link_member_id", "member_id", "state", "place", "account_id"),
        Index(
            "uq_account_link_address",
            "account_id",
            "chat_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    account_id: int = Field(foreign_key="account.id")
    chat_id: int = Field(sa_type=BigInt)
    state: str = "active"
    place: int = 0  # 0: what is sent to the member goes here first; 1: where that cannot be reached
    since: datetime = Field(sa_type=UtcDateTime)
    invitation_id: int | None = Field(default=None, foreign_key="invitation.id", sa_type=BigInt)
    decided_by: int | None = Field(default=None, sa_type=BigInt)


class InvitationRow(Table, table=True):
    """A one-time code for one member, hashed at rest (DOMAIN.md 4.1)."""

    __tablename__ = "invitation"
    __table_args__ = (Index("ix_invitation_created_by", "created_by", "ended"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    code_digest: bytes = Field(unique=True)
    form: str = "link"  # link: 72 hours; paper: 30 days, always with approval
    created_by: int | None = Field(default=None, sa_type=BigInt)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended: str | None = None  # replaced (by a newer one), expired (unused)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # its maker, that it ran out


class ChatRow(Table, table=True):
    """What the bridge remembers of a chat, linked to a member or not: its language."""

    __tablename__ = "chat"
    __table_args__ = (UniqueConstraint("account_id", "chat_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    account_id: int = Field(foreign_key="account.id")
    chat_id: int = Field(sa_type=BigInt)
    language: str = "zh_CN"
