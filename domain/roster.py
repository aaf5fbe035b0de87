"""A roster that comes in: what its columns mean, what becomes of a row, and how far an import has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

MOST_ROWS = 200_000
MOST_COLUMNS = 64
KEPT = timedelta(hours=24)
"""An import that nobody finishes is dropped after this, with all it had staged."""


class RosterKind(StrEnum):
    """What the rows of a sheet are."""

    MEMBERS = "members"
    ORGANISATIONS = "organisations"


class Column(StrEnum):
    """What a column can mean."""

    NUMBER = "number"
    NAME = "name"
    PHONE = "phone"
    ORGANISATION = "organisation"
    STANDING = "standing"
    JOINED = "joined"
    NAME_EN = "name_en"
    PARENT = "parent"
    KIND = "kind"
    LEVEL = "level"
    MODE = "mode"
    CONTACT = "contact"


COLUMNS: Mapping[RosterKind, tuple[Column, ...]] = {
    RosterKind.MEMBERS: (
        Column.NUMBER,
        Column.NAME,
        Column.PHONE,
        Column.ORGANISATION,
        Column.STANDING,
        Column.JOINED,
    ),
    RosterKind.ORGANISATIONS: (
        Column.NUMBER,
        Column.NAME,
        Column.NAME_EN,
        Column.PARENT,
        Column.KIND,
        Column.LEVEL,
        Column.MODE,
        Column.CONTACT,
    ),
}
NEEDED: Mapping[RosterKind, tuple[Column, ...]] = {
    RosterKind.MEMBERS: (Column.NAME, Column.ORGANISATION),
    RosterKind.ORGANISATIONS: (Column.NAME, Column.PARENT),
}

Plan = Mapping[Column, int]
"""Which column of the sheet, counted from 0, holds what."""


class Deed(StrEnum):
    """What an import does with a row."""

    CREATE = "create"
    CHANGE = "change"
    MOVE = "move"
    KEEP = "keep"


class ImportState(StrEnum):
    """How far an import has come."""

    MAPPING = "mapping"  # the file is kept; its columns wait for a look
    STAGING = "staging"  # its rows are being read and compared
    READY = "ready"  # what would be done is known
    DONE = "done"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why a row cannot be taken in; each is worded by ``roster.reason.<value>``."""

    NAME_MISSING = "name_missing"
    NAME_TOO_LONG = "name_too_long"
    NATIONAL_ID = "national_id"
    CELL_ERROR = "cell_error"
    FORMULA_EMPTY = "formula_empty"
    PHONE_UNREADABLE = "phone_unreadable"
    PHONE_ROUNDED = "phone_rounded"
    STANDING_UNKNOWN = "standing_unknown"
    DATE_UNREADABLE = "date_unreadable"
    DATE_INCOMPLETE = "date_incomplete"
    DATE_FUTURE = "date_future"
    TEXT_TOO_LONG = "text_too_long"
    KIND_UNKNOWN = "kind_unknown"
    KIND_MISSING = "kind_missing"
    LEVEL_UNKNOWN = "level_unknown"
    MODE_UNKNOWN = "mode_unknown"
    ORGANISATION_MISSING = "organisation_missing"
    ORGANISATION_UNKNOWN = "organisation_unknown"
    ORGANISATION_AMBIGUOUS = "organisation_ambiguous"
    PARENT_MISSING = "parent_missing"
    PARENT_UNKNOWN = "parent_unknown"
    PARENT_AMBIGUOUS = "parent_ambiguous"
    PARENT_BAD = "parent_bad"
    CIRCLE = "circle"
    ROOT_STAYS = "root_stays"
    REPEATED = "repeated"
    CONFLICT = "conflict"
    AMBIGUOUS = "ambiguous"
    SAME_NAME = "same_name"
    PHONE_TAKEN = "phone_taken"
    NOT_ACTIVE = "not_active"


@dataclass(frozen=True, slots=True)
class Bad:
    """A row that cannot be taken in: why, with what stood there or which other line it meets."""

    line: int
    reason: Reason
    what: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """One column of a sheet: what stands above it, what it is taken for, and whether it may be kept at all."""

    index: int
    text: str
    column: Column | None = None
    never: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What a first look at a sheet tells. `first` is the line of the first row below the headings."""

    sheet: str
    kind: RosterKind
    headings: tuple[Heading, ...]
    first: int
    about: int = 0

    @property
    def plan(self) -> dict[Column, int]:
        return {each.column: each.index for each in self.headings if each.column is not None}


@dataclass(frozen=True, slots=True)
class MemberLine:
    """A row of a member, read. What is empty is left alone."""

    line: int
    name: str
    organisation: str
    number: str = ""
    phone: str = ""
    standing: str = ""
    joined: date | None = None


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """A row of an organisation, read. What is empty is left alone."""

    line: int
    name: str
    parent: str = ""
    number: str = ""
    name_en: str = ""
    kind: str = ""
    level: str = ""
    mode: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an import would do, or has done.

    `phones` are those among the changed who get another number; `missing` are members of the file's
    organisations whom no row is: they are told of and left alone.
    """

    created: int = 0
    changed: int = 0
    moved: int = 0
    kept: int = 0
    bad: int = 0
    missing: int = 0
    phones: int = 0

    @property
    def writes(self) -> int:
        return self.created + self.changed + self.moved


@dataclass(frozen=True, slots=True)
class Import:
    """An import as far as it has come. `scope` is the path it may write in; nobody's `actor_id` is the operator."""

    id: int
    token: str
    actor_id: int | None
    organisation_id: int
    scope: str
    file_name: str
    state: ImportState
    look: Look
    plan: dict[Column, int]
    staged: int
    figures: Figures
    created_at: datetime
    touched_at: datetime

    @property
    def kind(self) -> RosterKind:
        return self.look.kind
