"""Tables of the audit: entries, the hash chain that seals them, and the keys of persons."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class AuditEntryRow(Table, table=True):
    """Who did what to what, when; personal content is sealed with the person's key."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        Index("ix_audit_entry_subject", "subject", "subject_id", "id"),
        Index("ix_audit_entry_seal_id", "seal_id", "id"),
        Index("ix_audit_entry_actor_id", "actor_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    at: datetime = Field(sa_type=UtcDateTime)
    actor_id: int | None = Field(default=None, sa_type=BigInt)
    action: str  # notice.sent, member.read, link.approved, ...
    subject: str  # member, notice, organisation, ...
    subject_id: int = Field(sa_type=BigInt)
    organisation_id: int | None = Field(default=None, sa_type=BigInt)
    detail_sealed: bytes | None = None
    seal_id: int | None = Field(default=None, foreign_key="audit_seal.id", sa_type=BigInt)


class AuditSealRow(Table, table=True):
    """One link of the hash chain over a batch of entries, in order of their ids."""

    __tablename__ = "audit_seal"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    at: datetime = Field(sa_type=UtcDateTime)
    entries: int
    first_entry_id: int = Field(sa_type=BigInt)
    last_entry_id: int = Field(sa_type=BigInt)
    previous: bytes
    head: bytes


class PersonKeyRow(Table, table=True):
    """The key that seals a person's content in the audit; dropping it forgets the content."""

    __tablename__ = "person_key"

    member_id: int = Field(primary_key=True, sa_type=BigInt)
    key_sealed: bytes
