"""Tables of the organisation tree, its history, seats and role grants."""

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, Path, UtcDateTime


class OrganisationRow(Table, table=True):
    """One node of the tree; `path` is the ids from the root down, ``/1/23/456/``."""

    __tablename__ = "organisation"
    __table_args__ = (
        Index("ix_organisation_path", "path", unique=True),
        Index("ix_organisation_parent_id", "parent_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    parent_id: int | None = Field(default=None, foreign_key="organisation.id", sa_type=BigInt)
    path: str = Field(sa_type=Path)
    name: str
    name_en: str = ""
    kind: str
    level: str
    regional_mode: str | None = None
    status: str = "active"
    zone: str = "Asia/Shanghai"
    holiday_policy: str = "next_free_saturday"
    contact: str = ""
    founded: date | None = None
    roster_number: str = ""


class OrganisationHistoryRow(Table, table=True):
    """One change of a node: renamed, moved, dissolved; with what it was before."""

    __tablename__ = "organisation_history"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", index=True, sa_type=BigInt)
    at: datetime = Field(sa_type=UtcDateTime)
    what: str
    before: str = ""
    after: str = ""
    actor_id: int | None = Field(default=None, sa_type=BigInt)


class SeatRow(Table, table=True):
    """A post a person holds in an organisation, from a date to a date."""

    __tablename__ = "seat"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", index=True, sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", index=True, sa_type=BigInt)
    post: str
    part_time: bool = False
    sending_unit: str = ""
    since: date
    until: date | None = None


class RoleGrantRow(Table, table=True):
    """A role at a node; it holds for the whole subtree, from a date to a date (DESIGN.md, "Permission")."""

    __tablename__ = "role_grant"
    __table_args__ = (
        Index("ix_role_grant_member_id", "member_id"),
        Index("ix_role_grant_organisation_id", "organisation_id"),
        Index(
            "uq_role_grant_open",
            "member_id",
            "organisation_id",
            "role",
            unique=True,
            sqlite_where=text("until IS NULL"),
            postgresql_where=text("until IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    role: str
    since: date
    until: date | None = None
    granted_by: int | None = Field(default=None, sa_type=BigInt)
