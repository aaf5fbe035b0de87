"""Tables of service days: who decides, the days, what was done about each, activities, lead times, addresses."""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class ServicePlanRow(Table, table=True):
    """That an organisation decides on service days of its own, for itself and all below it."""

    __tablename__ = "service_plan"

    organisation_id: int = Field(
        primary_key=True,
        foreign_key="organisation.id",
        sa_type=BigInt,
        sa_column_kwargs={"autoincrement": False},
    )
    since: datetime = Field(sa_type=UtcDateTime)


class ServiceDayRow(Table, table=True):
    """A month's service day of an organisation that decides."""

    __tablename__ = "service_day"
    __table_args__ = (UniqueConstraint("organisation_id", "month"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    month: date  # its first
    planned: date
    date: date
    state: str  # proposed, unconfirmed, confirmed, cancelled
    why: str = ""  # holiday, adjusted_workday, unknown_year, by_hand
    holiday: str = ""
    holiday_en: str = ""
    revision: int = 0
    told_revision: int | None = None
    changed_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, sa_type=BigInt)  # no key: who decided may be forgotten


class ServiceStepRow(Table, table=True):
    """That something was done about a service day for one organisation, or came too late; once."""

    __tablename__ = "service_step"
    __table_args__ = (
        UniqueConstraint("service_day_id", "kind", "key", "organisation_id"),
        Index("ix_service_step_dispatch_id", "dispatch_id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    service_day_id: int = Field(foreign_key="service_day.id", sa_type=BigInt)
    kind: str  # ask, nudge, announce, change, remind
    key: int
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    about: date  # the date that is told
    cancelled: bool = False  # that it is told to fall away
    due_at: datetime = Field(sa_type=UtcDateTime)
    at: datetime = Field(sa_type=UtcDateTime)
    too_late: bool = False
    dispatch_id: int | None = Field(default=None, foreign_key="dispatch.id", sa_type=BigInt)


class ServiceActivityRow(Table, table=True):
    """What an organisation does on a service day; it holds for all below it that have not written their own."""

    __tablename__ = "service_activity"
    __table_args__ = (
        PrimaryKeyConstraint("service_day_id", "organisation_id", name="pk_service_activity"),
        Index("ix_service_activity_organisation_id", "organisation_id"),
    )

    service_day_id: int = Field(foreign_key="service_day.id", sa_type=BigInt)
    organisation_id: int = Field(foreign_key="organisation.id", sa_type=BigInt)
    text: str
    changed_at: datetime = Field(sa_type=UtcDateTime)


class ServiceLeadRow(Table, table=True):
    """A lead time a member chose to be reminded at; 0 says: none."""

    __tablename__ = "service_lead"
    __table_args__ = (PrimaryKeyConstraint("member_id", "days", name="pk_service_lead"),)

    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    days: int


class CalendarAddressRow(Table, table=True):
    """A member's web calendar address: only the hash of its secret part is kept."""

    __tablename__ = "calendar_address"

    member_id: int = Field(
        primary_key=True,
        foreign_key="member.id",
        sa_type=BigInt,
        sa_column_kwargs={"autoincrement": False},
    )
    digest: bytes = Field(unique=True)
    language: str
    since: datetime = Field(sa_type=UtcDateTime)
