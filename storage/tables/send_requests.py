"""The table of requests to send a notice beyond the usual: for a price, or urgently."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class SendRequestRow(Table, table=True):
    """A request that a second person decides; at most one waits for each notice.

    Its notice may be discarded meanwhile, so nothing holds that in place; `digest` names what was asked for.
    """

    __tablename__ = "send_request"
    __table_args__ = (
        Index("ix_send_request_notice_id", "notice_id"),
        Index("ix_send_request_state", "state", "asked_at"),
        Index(
            "uq_send_request_waiting",
            "notice_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    way: str  # paid, urgent
    notice_id: int = Field(sa_type=BigInt)
    digest: str
    messages: int
    stars: int  # 0 for what costs nothing
    state: str = "asked"  # asked, approved, refused, withdrawn, expired, outdated
    asked_by: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="member.id", index=True, sa_type=BigInt)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
