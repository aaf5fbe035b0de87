"""Table of nudges: that those who had not confirmed a notice were reminded, once."""

from datetime import datetime

from sqlalchemy import PrimaryKeyConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class NudgeRow(Table, table=True):
    """One nudge of a notice; `scope` is all, or home:12. Its key makes it once, whoever presses or ticks."""

    __tablename__ = "nudge"
    __table_args__ = (PrimaryKeyConstraint("notice_id", "scope", name="pk_nudge"),)

    notice_id: int = Field(foreign_key="notice.id", sa_type=BigInt)
    scope: str
    at: datetime = Field(sa_type=UtcDateTime)
    by_id: int | None = Field(default=None, foreign_key="member.id", sa_type=BigInt)  # nobody: by itself
    dispatch_id: int | None = Field(default=None, foreign_key="dispatch.id", sa_type=BigInt)
