"""The table of requests to dissolve an organisation."""

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class DissolutionRow(Table, table=True):
    """A request to dissolve an organisation into a regional one; at most one waits for each."""

    __tablename__ = "dissolution"
    __table_args__ = (
        Index("ix_dissolution_organisation_id", "organisation_id"),
        Index(
            "uq_dissolution_waiting",
            "organisation_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    target_id: int = Field(foreign_key="organisation.id", index=True, sa_type=BigInt)
    filing_number: str
    reason: str
    state: str = "asked"  # asked, carried_out, refused, withdrawn
    asked_by: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="member.id", index=True, sa_type=BigInt)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    moved: int = 0
