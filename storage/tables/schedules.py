"""Tables of the clock: schedules, their occurrences, and the holiday years that an operator entered."""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class ScheduleRow(Table, table=True):
    """When something comes again: its rule, and the planned date the clock waits for."""

    __tablename__ = "schedule"
    __table_args__ = (UniqueConstraint("kind", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    kind: str  # service_day, notice, ...
    subject_id: int = Field(sa_type=BigInt)
    rule: str  # canonical JSON
    useful_seconds: int = Field(sa_type=BigInt)
    next_planned: date | None = None
    next_run_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    dropped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OccurrenceRow(Table, table=True):
    """One time a schedule came, once for each planned date: where it came to lie and what became of it."""

    __tablename__ = "occurrence"
    __table_args__ = (
        UniqueConstraint("schedule_id", "planned"),
        Index("ix_occurrence_state", "state", "look_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    schedule_id: int = Field(foreign_key="schedule.id", sa_type=BigInt)
    planned: date
    date: date
    at: datetime = Field(sa_type=UtcDateTime)
    useful_until: datetime = Field(sa_type=UtcDateTime)
    state: str  # waiting, unconfirmed, done, too_late, failed, skipped
    look_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    error: str = ""
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class HolidayYearRow(Table, table=True):
    """A year's official table as an operator entered it; the digest of its days tells one version from another."""

    __tablename__ = "holiday_year"

    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str
    entered_at: datetime = Field(sa_type=UtcDateTime)


class HolidayDayRow(Table, table=True):
    """A day that differs from Monday-to-Friday; the last days of the December before may stand in a year's table."""

    __tablename__ = "holiday_day"
    __table_args__ = (PrimaryKeyConstraint("year", "day", name="pk_holiday_day"),)

    year: int = Field(foreign_key="holiday_year.year", sa_column_kwargs={"autoincrement": False})
    day: date
    kind: str  # holiday, adjusted_workday
    name: str
    name_en: str
