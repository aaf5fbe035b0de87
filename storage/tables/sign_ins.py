"""Table of sign-ins to the console."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class SignInRow(Table, table=True):
    """A link that was asked for, and, once it was opened, the browser that opened it; of either secret only the hash."""

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_member_id", "member_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    digest: bytes = Field(unique=True)  # of the link's secret, then of the browser's
    language: str
    at_home: bool  # whether the chat it was asked for in keeps its data in the home country
    made_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
