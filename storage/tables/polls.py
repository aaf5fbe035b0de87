"""Tables of polls: who took part, what named voters chose, what waits sealed, and the counted cells.

Who took part in an anonymous poll and what was cast share no key and no time: a cast vote waits sealed under a
random token and ends as a number in a cell of five or more. There is no row of a single anonymous ballot.
"""

from datetime import datetime

from sqlalchemy import JSON, Index, PrimaryKeyConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class PollRow(Table, table=True):
    """A question to an audience: its options, its settings, its state and its times."""

    __tablename__ = "poll"
    __table_args__ = (
        Index("ix_poll_organisation_id", "organisation_id", "state"),
        Index("ix_poll_state", "state", "closes_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    author_id: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    audience_id: int | None = Field(default=None, foreign_key="audience.id", sa_type=BigInt)
    topic_id: int | None = Field(default=None, foreign_key="topic.id", sa_type=BigInt)
    state: str = "draft"  # draft, scheduled, open, closing, closed, published, cancelled
    question: str
    options: list[str] = Field(default_factory=list, sa_type=JSON)
    multiple: bool = False
    suggestions: bool = True
    anonymous: bool = True
    live: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    opens_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closes_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    what_changed: str = ""
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    chart_digest: str | None = None


class ParticipationRow(Table, table=True):
    """That a member took part in a poll; not when, and not how."""

    __tablename__ = "participation"
    __table_args__ = (
        PrimaryKeyConstraint("poll_id", "member_id", name="pk_participation"),
        Index("ix_participation_member_id", "member_id"),
        {"sqlite_with_rowid": False},
    )

    poll_id: int = Field(foreign_key="poll.id", sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)


class NamedVoteRow(Table, table=True):
    """What a member chose in a named poll, from which organisation; changed until the poll closes."""

    __tablename__ = "named_vote"
    __table_args__ = (
        PrimaryKeyConstraint("poll_id", "member_id", name="pk_named_vote"),
        Index("ix_named_vote_member_id", "member_id"),
    )

    poll_id: int = Field(foreign_key="poll.id", sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    chosen: int  # bit mask of the options' numbers


class SealedVoteRow(Table, table=True):
    """A cast anonymous vote on its way into a cell; it is deleted there."""

    __tablename__ = "sealed_vote"
    __table_args__ = (Index("ix_sealed_vote_poll_id", "poll_id", "organisation_id"),)

    token: int = Field(primary_key=True, sa_type=BigInt, sa_column_kwargs={"autoincrement": False})
    poll_id: int = Field(foreign_key="poll.id", sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    sealed: bytes


class SealedSuggestionRow(Table, table=True):
    """A suggestion that waits for its poll to close; `owner` is a keyed index, so that its author can replace it."""

    __tablename__ = "sealed_suggestion"
    __table_args__ = (
        PrimaryKeyConstraint("poll_id", "owner", name="pk_sealed_suggestion"),
        {"sqlite_with_rowid": False},
    )

    poll_id: int = Field(foreign_key="poll.id", sa_type=BigInt)
    owner: bytes
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    sealed: bytes


class PollCellRow(Table, table=True):
    """How five or more people voted, counted at the organisation they have in common."""

    __tablename__ = "poll_cell"
    __table_args__ = (PrimaryKeyConstraint("poll_id", "organisation_id", name="pk_poll_cell"),)

    poll_id: int = Field(foreign_key="poll.id", sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    voted: int
    options: list[int] = Field(default_factory=list, sa_type=JSON)
