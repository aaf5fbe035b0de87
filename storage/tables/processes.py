"""Table of the processes that run, by their heartbeats."""

from datetime import datetime

from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import UtcDateTime


class ProcessRow(Table, table=True):
    """A process of the fleet, as it said last."""

    __tablename__ = "process"

    name: str = Field(primary_key=True)
    roles: str  # bot,clock
    host: str
    address: str  # where its health and metrics are, as seen from its own machine
    since: datetime = Field(sa_type=UtcDateTime)
    beat_at: datetime = Field(sa_type=UtcDateTime)
    tick_lag: float | None = None  # seconds by which its clock is overdue
    problems: str = ""  # what its own /readyz finds
