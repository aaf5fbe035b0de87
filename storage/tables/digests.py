"""Tables of digests: what is gathered for a member, what came in which digest, and who wants it daily."""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class DigestRow(Table, table=True):
    """One digest for all whose digest is due at that moment in a zone; its dispatch names it."""

    __tablename__ = "digest"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    at: datetime = Field(sa_type=UtcDateTime)


class DigestRecipientRow(Table, table=True):
    """That a member gets a digest on a (local) day: at most one."""

    __tablename__ = "digest_recipient"
    __table_args__ = (
        PrimaryKeyConstraint("member_id", "day", name="pk_digest_recipient"),
        Index("ix_digest_recipient_digest_id", "digest_id"),
    )

    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    day: date
    digest_id: int = Field(foreign_key="digest.id", sa_type=BigInt)


class DigestItemRow(Table, table=True):
    """A delivery above the cap, gathered for the digest that is due; then the digest it came in."""

    __tablename__ = "digest_item"
    __table_args__ = (
        Index("ix_digest_item_member_id", "member_id", "digest_id"),
        Index(
            "ix_digest_item_due_at",
            "due_at",
            sqlite_where=text("digest_id IS NULL"),
            postgresql_where=text("digest_id IS NULL"),
        ),
    )

    delivery_id: int = Field(primary_key=True, foreign_key="delivery.id", sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    due_at: datetime = Field(sa_type=UtcDateTime)
    digest_id: int | None = Field(default=None, foreign_key="digest.id", sa_type=BigInt)


class DailyDigestRow(Table, table=True):
    """That a member wants the digest daily; without a row it is weekly."""

    __tablename__ = "daily_digest"

    member_id: int = Field(primary_key=True, foreign_key="member.id", sa_type=BigInt)
