"""Tables of the way out: dispatches, deliveries, slices and the pace of an account."""

from datetime import date, datetime

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlmodel import Field

from storage.tables.base import Table
from storage.tables.columns import BigInt, UtcDateTime


class DispatchRow(Table, table=True):
    """One thing to tell many (or one): its source, its state, its policy."""

    __tablename__ = "dispatch"
    __table_args__ = (
        Index("ix_dispatch_source", "source", "source_id"),
        Index("ix_dispatch_state", "state"),
        Index("ix_dispatch_finished_at", "finished_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    source: str  # notice, alert, ...
    source_id: int = Field(sa_type=BigInt)
    author_id: int | None = Field(default=None, sa_type=BigInt)
    topic_id: int | None = Field(default=None, sa_type=BigInt)  # who left the topic meanwhile is skipped
    lane: str = "normal"  # reply, urgent, normal
    paid: bool = False  # sent beyond the free pace, by the accounts that pay
    home_only: bool = False  # only by accounts that keep their data in the home country
    unknown_policy: str = "park"  # park, resend
    state: str = "running"  # running, paused, cancelled, done
    pause_reason: str = ""  # by_hand, account_dead, ...
    generation: int = 1
    planned: int = 0
    above_id: int | None = Field(default=None, sa_type=BigInt)  # the deliveries of it have higher numbers
    created_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    useful_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    unknown_left_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # the unknown until then stay so
    progress_account_id: int | None = None
    progress_chat_id: int | None = Field(default=None, sa_type=BigInt)
    progress_message_id: int | None = Field(default=None, sa_type=BigInt)


class SliceRow(Table, table=True):
    """Some 1,000 deliveries of one dispatch on one account: the unit of work, with its fence and counters."""

    __tablename__ = "slice"
    __table_args__ = (
        UniqueConstraint("dispatch_id", "account_id", "number"),
        Index(
            "ix_slice_open",
            "dispatch_id",
            "account_id",
            "number",
            sqlite_where=text("done IS 0"),
            postgresql_where=text("done IS false"),
        ),
        Index(
            "ix_slice_unknown",
            "dispatch_id",
            sqlite_where=text("unknown > 0"),
            postgresql_where=text("unknown > 0"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    dispatch_id: int = Field(foreign_key="dispatch.id", sa_type=BigInt)
    account_id: int = Field(foreign_key="account.id")
    number: int
    fence: int = 0
    opened_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # when a worker last took it, or said that it is busy with it
    done: bool = False
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    planned: int = 0
    sent: int = 0
    unreachable: int = 0
    rejected: int = 0
    skipped: int = 0
    failed: int = 0
    unknown: int = 0
    moved_in: int | None = None  # window of ten seconds (epoch) in which a messenger answered last
    moved: int | None = None  # how many in it, and in the window before
    moved_before: int | None = None
    moving_since: float | None = None  # epoch seconds, without a window's gap


class DeliveryRow(Table, table=True):
    """One message for one recipient, from waiting to its outcome."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("dispatch_id", "member_id"),
        # The claim reads it in its order. Without the state: what is claimed and recorded touches no index, and
        # with room in each page PostgreSQL keeps the new version of a row beside the old one.
        Index("ix_delivery_slice", "slice_id", "id"),
        Index("ix_delivery_member_id", "member_id", "id"),
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInt)
    dispatch_id: int = Field(foreign_key="dispatch.id", sa_type=BigInt)
    slice_id: int | None = Field(default=None, foreign_key="slice.id", sa_type=BigInt)
    member_id: int = Field(foreign_key="member.id", sa_type=BigInt)
    account_id: int | None = Field(default=None, foreign_key="account.id")
    chat_id: int | None = Field(default=None, sa_type=BigInt)
    state: str = "waiting"  # waiting, sending, sent, unreachable, rejected, skipped, failed, unknown
    reason: str = ""
    tried: str | None = None  # accounts on which the member could not be reached, ``/1/2/``
    attempt: int = 0
    attempt_id: str | None = None
    retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    message_id: int | None = Field(default=None, sa_type=BigInt)
    at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OutcomeCountRow(Table, table=True):
    """How many deliveries of a dispatch ended in a state for a reason, so that a report reads no recipients."""

    __tablename__ = "outcome_count"
    __table_args__ = (PrimaryKeyConstraint("dispatch_id", "state", "reason", name="pk_outcome_count"),)

    dispatch_id: int = Field(foreign_key="dispatch.id", sa_type=BigInt)
    state: str
    reason: str
    count: int = 0


class MediaFileRow(Table, table=True):
    """A file as one account's server knows it, found by its digest: uploaded once, sent by id after that."""

    __tablename__ = "media_file"
    __table_args__ = (PrimaryKeyConstraint("account_id", "digest", "kind", name="pk_media_file"),)

    account_id: int = Field(foreign_key="account.id")
    digest: str
    kind: str  # photo, document, message
    file_id: str  # of a message its number in `chat_id`
    chat_id: int | None = Field(default=None, sa_type=BigInt)


class PaceRow(Table, table=True):
    """The pace of one account for the whole fleet: one GCRA row (theoretical arrival time in epoch seconds).

    An account that may pay has a second row for what it pays for; a stop is marked in both, its looks in the first.
    """

    __tablename__ = "pace"
    __table_args__ = (PrimaryKeyConstraint("account_id", "kind", name="pk_pace"),)

    account_id: int = Field(foreign_key="account.id")
    kind: str = "free"  # free, paid
    rate: float = 25.0
    ceiling: float = 30.0
    arrival: float = 0.0  # theoretical arrival time of the next send, epoch seconds
    reply_arrival: float = 0.0
    refused: float | None = None  # the rate that met the last 429
    held_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    busy_on: date | None = None  # the day (UTC) of the last 429, and how many there were on it
    busy: int | None = None
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    halted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # nobody sends until it is resumed
    halt_reason: str | None = None  # unauthorized, failing
    probe_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # the next look; or when it went again
    probe_after: int | None = None  # seconds between the last two looks


class PaceShareRow(Table, table=True):
    """What a dispatch was lately granted of an account's pace, as its virtual time; dropped after a minute."""

    __tablename__ = "pace_share"
    __table_args__ = (PrimaryKeyConstraint("account_id", "kind", "dispatch_id", name="pk_pace_share"),)

    account_id: int = Field(foreign_key="account.id")
    kind: str  # free, paid: as that of the pace
    dispatch_id: int = Field(sa_type=BigInt)
    lane: str  # urgent, normal: they do not share with one another
    granted: float  # sends, counted from where the others were when it began
    at: float  # epoch seconds of the last grant
