"""Notices: their content and state, the desk of those who send them, and who has confirmed."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Update,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import HOME_COUNTRY
from domain.delivery import DeliveryState, DispatchState
from domain.digests import IN_DIGEST
from domain.members import MemberStatus
from domain.messages import Media
from domain.notices import Notice, NoticeState, Sender
from domain.organisations import subtree_bounds
from domain.richtext import RichText
from storage.tables import metadata

account = metadata.tables["account"]
acknowledgement = metadata.tables["acknowledgement"]
delivery = metadata.tables["delivery"]
dispatch = metadata.tables["dispatch"]
member = metadata.tables["member"]
notice = metadata.tables["notice"]
organisation = metadata.tables["organisation"]

SOURCE = "notice"
NOT_YET = DeliveryState.WAITING
CANCELLED = "cancelled"
_author = member.alias("author")
_ours = and_(dispatch.c.source == SOURCE, dispatch.c.source_id == notice.c.id)
_rank = case(
    {NoticeState.DRAFT: 0, NoticeState.SENDING: 1, NoticeState.SCHEDULED: 2, NoticeState.REPEATING: 3},
    value=notice.c.state,
    else_=4,
)


@dataclass(frozen=True, slots=True)
class Pending:
    """A recipient who has not confirmed, with what became of their delivery."""

    member_id: int
    name: str
    state: DeliveryState
    gathered: bool


async def add(
    session: AsyncSession,
    *,
    organisation_id: int,
    author_id: int,
    content: RichText,
    media: Media | None,
    now: datetime,
    group: str | None = None,
) -> int:
    """Write a new draft and return its id; `group` is the album that its file is the first of."""
    values = {
        "organisation_id": organisation_id,
        "author_id": author_id,
        "state": NoticeState.DRAFT,
        "needs_confirmation": False,
        "sensitive": False,
        "urgent": False,
        "created_at": now,
        **_content(content, media),
        "media_group": group,
    }
    added = await session.execute(insert(notice).values(values).returning(notice.c.id))
    return int(added.scalar_one())


async def same_draft(
    session: AsyncSession, author_id: int, content: RichText, media: Media | None, since: datetime
) -> int | None:
    """Return the author's draft of just this content written since then: the same update come twice."""
    found = (
        select(notice.c.id)
        .where(notice.c.author_id == author_id, notice.c.state == NoticeState.DRAFT)
        .where(notice.c.created_at >= since, notice.c.text == content.text)
        .where(func.coalesce(notice.c.media_digest, "") == (media.digest if media else ""))
        .where(func.coalesce(notice.c.media_kind, "") == (media.kind if media else ""))
        .where(notice.c.media_group.is_(None))
        .limit(1)
    )
    return (await session.execute(found)).scalar()


async def draft_of_group(session: AsyncSession, author_id: int, group: str, since: datetime) -> int | None:
    """Return the author's draft that was begun by a file of this album since then, and lock it."""
    found = (
        select(notice.c.id)
        .where(notice.c.author_id == author_id, notice.c.state == NoticeState.DRAFT)
        .where(notice.c.created_at >= since, notice.c.media_group == group)
        .order_by(notice.c.id.desc())
        .limit(1)
    )
    return (await session.execute(found.with_for_update())).scalar()


async def read(session: AsyncSession, notice_id: int) -> Notice | None:
    row = (await session.execute(all_notices().where(notice.c.id == notice_id))).one_or_none()
    return None if row is None else to_notice(row)


async def write_content(
    session: AsyncSession,
    notice_id: int,
    content: RichText,
    media: Media | None,
    more: Sequence[Media] = (),
    group: str | None = None,
) -> None:
    """Give a notice another text and other files; `group` is the album that they are of."""
    values = {**_content(content, media), "more_media": [asdict(each) for each in more], "media_group": group}
    await session.execute(_of_draft(notice_id).values(values))


async def write_audience(
    session: AsyncSession,
    notice_id: int,
    *,
    audience_id: int | None,
    topic_id: int | None,
    organisation_id: int,
) -> None:
    values = {"audience_id": audience_id, "topic_id": topic_id, "organisation_id": organisation_id}
    await session.execute(_of_draft(notice_id).values(values))


def _of_draft(notice_id: int) -> Update:
    """Change a draft alone: of a notice that was sent meanwhile, nothing is what somebody has not seen."""
    return update(notice).where(notice.c.id == notice_id, notice.c.state == NoticeState.DRAFT)


async def write_confirmation(session: AsyncSession, notice_id: int, *, needed: bool) -> None:
    await session.execute(_of_draft(notice_id).values(needs_confirmation=needed))


async def write_sensitive(session: AsyncSession, notice_id: int, *, sensitive: bool) -> None:
    await session.execute(_of_draft(notice_id).values(sensitive=sensitive))


async def step(
    session: AsyncSession,
    notice_id: int,
    states: Iterable[NoticeState],
    to: NoticeState,
    *,
    aimed_at: int | None = None,
    sensitive: bool | None = None,
    **values: Any,
) -> bool:
    """Move a notice on if it is in one of these states, for this audience, marked so; of two who try, one does."""
    moved = (
        update(notice)
        .where(notice.c.id == notice_id, notice.c.state.in_(list(states)))
        .where(true() if aimed_at is None else notice.c.audience_id == aimed_at)
        .where(true() if sensitive is None else notice.c.sensitive.is_(sensitive))
        .values(state=to, **values)
        .returning(notice.c.id)
    )
    return (await session.execute(moved)).first() is not None


async def discard(session: AsyncSession, notice_id: int) -> None:
    """Delete a draft; nothing refers to it."""
    await session.execute(delete(notice).where(notice.c.id == notice_id, notice.c.state == NoticeState.DRAFT))


async def desk(
    session: AsyncSession, author_id: int, paths: Sequence[str], *, offset: int, limit: int
) -> list[Notice]:
    """Return one's own drafts, what is under way, then what was sent from these subtrees, the latest first."""
    own = and_(notice.c.state == NoticeState.DRAFT, notice.c.author_id == author_id)
    shared = and_(notice.c.state != NoticeState.DRAFT, or_(*(within(path) for path in paths)))
    moment = func.coalesce(notice.c.sent_at, notice.c.scheduled_at, notice.c.created_at)
    found = all_notices().where(or_(own, shared) if paths else own)
    rows = await session.execute(
        found.order_by(_rank, moment.desc(), notice.c.id.desc()).offset(offset).limit(limit)
    )
    return [to_notice(row) for row in rows]


async def due(session: AsyncSession, now: datetime) -> list[int]:
    """Return the scheduled notices whose time has come, in that order."""
    found = select(notice.c.id).where(notice.c.state == NoticeState.SCHEDULED, notice.c.scheduled_at <= now)
    return list((await session.execute(found.order_by(notice.c.scheduled_at))).scalars())


async def recall_due(session: AsyncSession, now: datetime) -> None:
    """Make drafts again of the scheduled notices whose time has come."""
    come = and_(notice.c.state == NoticeState.SCHEDULED, notice.c.scheduled_at <= now)
    await session.execute(update(notice).where(come).values(state=NoticeState.DRAFT, scheduled_at=None))


async def any_under_way(session: AsyncSession) -> bool:
    found = select(notice.c.id).where(notice.c.state == NoticeState.SENDING).limit(1)
    return (await session.execute(found)).first() is not None


async def settle(session: AsyncSession) -> list[int]:
    """Close the notices whose dispatch is over; return them."""
    over = {DispatchState.DONE: NoticeState.SENT, DispatchState.CANCELLED: NoticeState.CANCELLED}
    closed: list[int] = []
    for ended, state in over.items():
        done = exists().where(_ours, dispatch.c.state == ended)
        open_ = exists().where(_ours, dispatch.c.state.in_([DispatchState.RUNNING, DispatchState.PAUSED]))
        moved = (
            update(notice)
            .where(notice.c.state == NoticeState.SENDING, done, ~open_)
            .values(state=state)
            .returning(notice.c.id)
        )
        closed.extend((await session.execute(moved)).scalars())
    return closed


async def dispatch_of(session: AsyncSession, notice_id: int) -> int | None:
    """Return the latest dispatch of a notice."""
    found = select(func.max(dispatch.c.id)).where(
        dispatch.c.source == SOURCE, dispatch.c.source_id == notice_id
    )
    return (await session.execute(found)).scalar()


async def received(
    session: AsyncSession,
    member_id: int,
    *,
    search: str = "",
    offset: int,
    limit: int,
    account_id: int | None = None,
) -> list[Notice]:
    """Return what was sent to a member, the latest first, whether or not it reached their chat.

    One that is being sent counts: its answer may be pressed before its outcome is written.
    """
    found = all_notices().where(_received_by(member_id), _may_show(account_id))
    if search:
        found = found.where(notice.c.text.icontains(search, autoescape=True))
    rows = await session.execute(
        found.order_by(notice.c.sent_at.desc(), notice.c.id.desc()).offset(offset).limit(limit)
    )
    return [to_notice(row) for row in rows]


async def received_one(
    session: AsyncSession, member_id: int, notice_id: int, account_id: int | None = None
) -> Notice | None:
    """Return a notice to one of its recipients; in a chat, if the chat's account may show it."""
    mine = and_(_received_by(member_id), _may_show(account_id))
    found = all_notices().where(notice.c.id == notice_id, mine)
    row = (await session.execute(found)).one_or_none()
    return None if row is None else to_notice(row)


async def confirm(session: AsyncSession, notice_id: int, member_id: int, now: datetime) -> datetime:
    """Write down that a member has confirmed, once; return when they did."""
    upsert: Any = postgresql_insert if session.get_bind().dialect.name == "postgresql" else sqlite_insert
    values = {"notice_id": notice_id, "member_id": member_id, "at": now}
    await session.execute(upsert(acknowledgement).values(values).on_conflict_do_nothing())
    return await confirmed_at(session, notice_id, member_id) or now


async def confirmed_at(session: AsyncSession, notice_id: int, member_id: int) -> datetime | None:
    found = select(acknowledgement.c.at).where(
        acknowledgement.c.notice_id == notice_id, acknowledgement.c.member_id == member_id
    )
    return (await session.execute(found)).scalar()


async def count_confirmed(session: AsyncSession, notice_id: int) -> int:
    found = select(func.count()).where(acknowledgement.c.notice_id == notice_id)
    return int((await session.execute(found)).scalar_one())


async def unconfirmed(
    session: AsyncSession, notice_id: int, homes: Sequence[int], *, offset: int, limit: int
) -> list[Pending]:
    """Return the recipients at home in these organisations who have not confirmed, by name."""
    columns = _unconfirmed(notice_id, homes, member.c.id, member.c.name, delivery.c.state, delivery.c.reason)
    rows = await session.execute(columns.order_by(member.c.name, member.c.id).offset(offset).limit(limit))
    return [
        Pending(row.id, row.name, DeliveryState(row.state), gathered=row.reason == IN_DIGEST) for row in rows
    ]


async def count_unconfirmed(session: AsyncSession, notice_id: int, homes: Sequence[int]) -> int:
    return int((await session.execute(_unconfirmed(notice_id, homes, func.count()))).scalar_one())


def _unconfirmed(notice_id: int, homes: Sequence[int], *columns: Any) -> Select[Any]:
    confirmed = exists().where(
        acknowledgement.c.notice_id == notice_id, acknowledgement.c.member_id == delivery.c.member_id
    )
    return (
        select(*columns)
        .select_from(delivery.join(dispatch, dispatch.c.id == delivery.c.dispatch_id))
        .join(member, member.c.id == delivery.c.member_id)
        .where(dispatch.c.source == SOURCE, dispatch.c.source_id == notice_id, ~confirmed)
        .where(member.c.home_id.in_(list(homes)), member.c.status == MemberStatus.ACTIVE)
    )


def _received_by(member_id: int) -> ColumnElement[bool]:
    mine = and_(delivery.c.dispatch_id == dispatch.c.id, delivery.c.member_id == member_id)
    told = and_(delivery.c.state != NOT_YET, delivery.c.reason != CANCELLED)
    return exists().where(_ours, mine, told)


def _may_show(account_id: int | None) -> ColumnElement[bool]:
    """Say that a notice may be shown by an account: a sensitive one by none that keeps its data abroad."""
    if account_id is None:
        return true()
    at_home = exists().where(account.c.id == account_id, account.c.residency == HOME_COUNTRY)
    return or_(notice.c.sensitive.is_(False), at_home)


def within(path: str) -> ColumnElement[bool]:
    """Say that a notice was sent from a subtree."""
    low, high = subtree_bounds(path)
    return and_(organisation.c.path >= low, organisation.c.path < high)


def all_notices() -> Select[Any]:
    """Select notices with their senders."""
    return (
        select(
            notice,
            organisation.c.path,
            organisation.c.name.label("organisation"),
            organisation.c.name_en.label("organisation_en"),
            organisation.c.zone,
            _author.c.name.label("author"),
        )
        .join(organisation, organisation.c.id == notice.c.organisation_id)
        .join(_author, _author.c.id == notice.c.author_id)
    )


def _content(content: RichText, media: Media | None) -> dict[str, Any]:
    return {
        "text": content.text,
        "entities": list(content.entities),
        "media_kind": media.kind if media else None,
        "media_name": media.name if media else "",
        "media_digest": media.digest if media else None,
    }


def to_notice(row: Any) -> Notice:
    """Make a notice of a row of `all_notices`."""
    media = None
    if row.media_kind and row.media_digest:
        media = Media(kind=row.media_kind, name=row.media_name, digest=row.media_digest)
    return Notice(
        id=row.id,
        sender=Sender(
            organisation_id=row.organisation_id,
            path=row.path,
            name=row.organisation,
            name_en=row.organisation_en,
            zone=row.zone,
            author_id=row.author_id,
            author=row.author,
        ),
        state=NoticeState(row.state),
        content=RichText(row.text, tuple(row.entities)),
        media=media,
        more=tuple(Media(**each) for each in row.more_media or ()),
        audience_id=row.audience_id,
        topic_id=row.topic_id,
        needs_confirmation=row.needs_confirmation,
        created_at=row.created_at,
        scheduled_at=row.scheduled_at,
        sent_at=row.sent_at,
        nudge_after=row.nudge_after,
        sensitive=row.sensitive,
        urgent=row.urgent,
    )
