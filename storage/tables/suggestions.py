"""Tables of suggestions and the groups they are handled in."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class SuggestionGroupRow(Table, table=True):
    """Suggestions to one organisation that say the same; one that was merged stands for its own part of another."""

    __tablename__ = "suggestion_group"
    __table_args__ = (Index("ix_suggestion_group_organisation_id", "organisation_id", "state"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    title: str
    tag: str = ""
    state: str = "open"  # open, answered
    merged_into: int | None = Field(default=None, index=True, sa_type=BigInt)  # the group that leads it
    answer: str = ""
    answered_by: int | None = Field(default=None, foreign_key="member.id", index=True, sa_type=BigInt)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SuggestionRow(Table, table=True):
    """What a member suggested, by name or not; its id is random and it has no hour, so that no order is kept."""

    __tablename__ = "suggestion"
    __table_args__ = (
        Index("ix_suggestion_organisation_id", "organisation_id"),
        Index("ix_suggestion_member_id", "member_id", "day"),
    )

    id: int = Field(primary_key=True, sa_type=BigInt, sa_column_kwargs={"autoincrement": False})
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    poll_id: int | None = Field(default=None, foreign_key="poll.id", index=True, sa_type=BigInt)
    member_id: int | None = Field(default=None, foreign_key="member.id", sa_type=BigInt)
    group_id: int | None = Field(default=None, foreign_key="suggestion_group.id", index=True, sa_type=BigInt)
    text: str
    day: date
