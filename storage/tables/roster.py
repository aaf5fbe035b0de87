"""Tables of rosters that come in: an import, and its rows, staged apart from what they will change."""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, Path, UtcDateTime


class RosterImportRow(Table, table=True):
    """One import. `token` names its sealed file; `scope` is the path of the subtree it may write in."""

    __tablename__ = "roster_import"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    token: str = Field(unique=True)
    actor_id: int | None = Field(default=None, sa_type=BigInt)
    organisation_id: int = Field(sa_type=BigInt)
    scope: str = Field(sa_type=Path)
    file_name: str
    state: str = Field(index=True)
    look: str
    plan: str
    figures: str = ""
    staged: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    touched_at: datetime = Field(sa_type=UtcDateTime)


class RosterRowRow(Table, table=True):
    """One line of the file, read; `subject_id` is the member or organisation it is, or becomes.

    `depth` orders organisations so that what is above comes first; `sum` tells two lines that say the same.
    """

    __tablename__ = "roster_row"
    __table_args__ = (
        PrimaryKeyConstraint("import_id", "line", name="pk_roster_row"),
        Index("ix_roster_row_subject_id", "subject_id"),
        Index("ix_roster_row_phone_index", "phone_index"),
        Index("ix_roster_row_number", "number"),
        Index("ix_roster_row_name", "name", "organisation_id"),
        {"sqlite_with_rowid": False},
    )

    import_id: int = Field(foreign_key="roster_import.id", sa_type=BigInt)
    line: int
    sum: bytes | None = None
    reason: str = ""
    what: str = ""
    deed: str = ""
    subject_id: int | None = Field(default=None, sa_type=BigInt)
    organisation_id: int | None = Field(default=None, sa_type=BigInt)
    place: str = ""
    parent_line: int | None = None
    depth: int = 0
    number: str = ""
    name: str = ""
    phone_sealed: bytes | None = None
    phone_index: bytes | None = None
    phone_hint: str = ""
    standing: str = ""
    joined: date | None = None
    name_en: str = ""
    kind: str = ""
    level: str = ""
    mode: str = ""
    contact: str = ""
