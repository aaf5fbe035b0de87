"""Tables of the way in: raw updates, poller leases and dialogue states."""

from datetime import datetime

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class InboxRow(Table, table=True):
    """One raw update: stored before it is confirmed, wiped when it is done."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("account_id", "update_id"),
        Index("ix_inbox_state", "state", "account_id", "chat_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    account_id: int = Field(foreign_key="account.id")
    update_id: int = Field(sa_type=BigInt)
    chat_id: int | None = Field(default=None, sa_type=BigInt)
    raw: bytes | None = None
    state: str = "waiting"  # waiting, effective, done, quarantined
    attempts: int = 0
    error: str = ""
    received_at: datetime = Field(sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LeaseRow(Table, table=True):
    """Who may do a thing alone until when: polling an account, sealing the audit."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=UtcDateTime)


class ChatClaimRow(Table, table=True):
    """Which process handles the updates of a chat, as long as that process renews its lease."""

    __tablename__ = "chat_claim"
    __table_args__ = (
        PrimaryKeyConstraint("account_id", "chat_id", name="pk_chat_claim"),
        Index("ix_chat_claim_holder", "holder"),
    )

    account_id: int = Field(foreign_key="account.id")
    chat_id: int = Field(sa_type=BigInt)  # 0: updates of no chat
    holder: str


class FsmRow(Table, table=True):
    """A dialogue's state and data, per account, chat and user."""

    __tablename__ = "fsm"
    __table_args__ = (PrimaryKeyConstraint("account_id", "chat_id", "user_id", name="pk_fsm"),)

    account_id: int = Field(foreign_key="account.id")
    chat_id: int = Field(sa_type=BigInt)
    user_id: int = Field(sa_type=BigInt)
    state: str | None = None
    data: str = "{}"
    changed_at: datetime = Field(sa_type=UtcDateTime)
