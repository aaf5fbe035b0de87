"""Tables of suggestions."""

from datetime import date

from sqlalchemy import Index
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt


class SuggestionRow(Table, table=True):
    """What a member suggested, by name or not; its id is random and it has no hour, so that no order is kept."""

    __tablename__ = "suggestion"
    __table_args__ = (Index("ix_suggestion_organisation_id", "organisation_id"),)

    id: int = Field(primary_key=True, sa_type=BigInt, sa_column_kwargs={"autoincrement": False})
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    poll_id: int | None = Field(default=None, foreign_key="poll.id", index=True, sa_type=BigInt)
    member_id: int | None = Field(default=None, foreign_key="member.id", index=True, sa_type=BigInt)
    text: str
    day: date
