"""The table of the forgotten: whose record was emptied and when, and nothing else."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class ForgottenRow(Table, table=True):
    """A line of the ledger. It outlives the member's row, so it does not refer to it."""

    __tablename__ = "forgotten"
    __table_args__ = (UniqueConstraint("member_id", "at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    member_id: int = Field(sa_type=BigInt)
    at: datetime = Field(sa_type=UtcDateTime)
