"""The table of requests to send a notice quickly for a price."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class PaidRequestRow(Table, table=True):
    """A request that a second person decides; at most one waits for each notice.

    Its notice may be discarded meanwhile, so nothing holds that in place; `digest` names what was asked for.
    """

    __tablename__ = "paid_request"
    __table_args__ = (
        Index("ix_paid_request_notice_id", "notice_id"),
        Index("ix_paid_request_state", "state", "asked_at"),
        Index(
            "uq_paid_request_waiting",
            "notice_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    notice_id: int = Field(sa_type=BigInt)
    digest: str
    messages: int
    stars: int
    state: str = "asked"  # asked, approved, refused, withdrawn, expired, outdated
    asked_by: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="member.id", index=True, sa_type=BigInt)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
