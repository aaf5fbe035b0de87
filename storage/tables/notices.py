"""Tables of audiences, notices and their acknowledgements."""

from datetime import datetime

from sqlalchemy import JSON, Index, PrimaryKeyConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class AudienceRow(Table, table=True):
    """A canonical audience (sorted JSON), stored once and named by its digest."""

    __tablename__ = "audience"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    digest: bytes = Field(unique=True)
    definition: str


class NoticeRow(Table, table=True):
    """What a secretary tells an audience: content, state, and when."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_organisation_id", "organisation_id", "state"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    author_id: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    audience_id: int | None = Field(default=None, foreign_key="audience.id", sa_type=BigInt)
    topic_id: int | None = Field(default=None, foreign_key="topic.id", sa_type=BigInt)
    state: str = "draft"  # draft, scheduled, repeating, sending, sent, cancelled
    text: str = ""
    entities: list[dict[str, object]] = Field(default_factory=list, sa_type=JSON)
    media_kind: str | None = None  # photo, document, message
    media_name: str = ""
    media_digest: str | None = None  # names the bytes in the media folder, or the message copied
    more_media: list[dict[str, str]] | None = Field(default=None, sa_type=JSON)  # further files of an album
    media_group: str | None = None  # what the messenger called that album
    needs_confirmation: bool = False
    sensitive: bool = False  # goes only by accounts that keep their data in the home country
    urgent: bool = False  # it went at once, outside quiet hours, rest days and the weekly cap
    copy_of: int | None = Field(default=None, sa_type=BigInt, index=True)  # the repeating notice
    nudge_after: int | None = None  # days after which it reminds, by itself, who has not confirmed
    created_at: datetime = Field(sa_type=UtcDateTime)
    scheduled_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AcknowledgementRow(Table, table=True):
    """That a member pressed 收到; once."""

    __tablename__ = "acknowledgement"
    __table_args__ = (
        PrimaryKeyConstraint("notice_id", "member_id", name="pk_acknowledgement"),
        Index("ix_acknowledgement_member_id", "member_id"),
    )

    notice_id: int = Field(foreign_key="notice.id", sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    at: datetime = Field(sa_type=UtcDateTime)
