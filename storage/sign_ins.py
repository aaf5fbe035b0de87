"""Sign-ins to the console: found by the hash of their secret, opened once, ended by their member or by time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.sign_ins import LASTS, LINK_LASTS, UNUSED, SignIn
from storage.tables import metadata
from storage.tables.columns import digest

sign_in = metadata.tables["sign_in"]
_is_link = sign_in.c.opened_at.is_(None)


@dataclass(frozen=True, slots=True)
class Link:
    """A link that can be opened: whose it is, and in which language it was asked for."""

    member_id: int
    language: str


async def add(
    session: AsyncSession, member_id: int, secret: str, *, language: str, at_home: bool, now: datetime
) -> None:
    """Keep a new link; the one asked for before leads nowhere from now on."""
    await session.execute(delete(sign_in).where(sign_in.c.member_id == member_id, _is_link))
    values = {"digest": digest(secret), "language": language, "at_home": at_home, "made_at": now}
    await session.execute(insert(sign_in).values(member_id=member_id, **values))


async def link(session: AsyncSession, secret: str, now: datetime) -> Link | None:
    row = (await session.execute(select(sign_in).where(_open_link(secret, now)))).first()
    return None if row is None else Link(row.member_id, row.language)


async def open_link(session: AsyncSession, secret: str, own_secret: str, now: datetime) -> SignIn | None:
    """Turn a link into a sign-in known by another secret; of two who open it, one does."""
    opened = (
        update(sign_in)
        .where(_open_link(secret, now))
        .values(digest=digest(own_secret), opened_at=now, seen_at=now)
        .returning(sign_in)
    )
    row = (await session.execute(opened)).first()
    return None if row is None else _to_sign_in(row)


async def read(session: AsyncSession, secret: str) -> SignIn | None:
    found = select(sign_in).where(sign_in.c.digest == digest(secret), ~_is_link)
    row = (await session.execute(found)).first()
    return None if row is None else _to_sign_in(row)


async def of_member(session: AsyncSession, member_id: int) -> list[SignIn]:
    """Return where a member is signed in, the one used last first."""
    found = select(sign_in).where(sign_in.c.member_id == member_id, ~_is_link)
    rows = await session.execute(found.order_by(sign_in.c.seen_at.desc(), sign_in.c.id.desc()))
    return [_to_sign_in(row) for row in rows]


async def seen(session: AsyncSession, sign_in_id: int, now: datetime) -> None:
    await session.execute(update(sign_in).where(sign_in.c.id == sign_in_id).values(seen_at=now))


async def speak(session: AsyncSession, sign_in_id: int, language: str) -> None:
    await session.execute(update(sign_in).where(sign_in.c.id == sign_in_id).values(language=language))


async def end(session: AsyncSession, *numbers: int) -> None:
    await session.execute(delete(sign_in).where(sign_in.c.id.in_(numbers)))


async def end_all(session: AsyncSession, member_id: int) -> None:
    """End all sign-ins of a member, and the link that waits."""
    await session.execute(delete(sign_in).where(sign_in.c.member_id == member_id))


async def tidy(session: AsyncSession, now: datetime) -> None:
    """Drop what leads nowhere any more."""
    old_link = and_(_is_link, sign_in.c.made_at <= now - LINK_LASTS)
    over = or_(sign_in.c.opened_at <= now - LASTS, sign_in.c.seen_at <= now - UNUSED)
    await session.execute(delete(sign_in).where(or_(old_link, over)))


def _open_link(secret: str, now: datetime) -> ColumnElement[bool]:
    return and_(sign_in.c.digest == digest(secret), _is_link, sign_in.c.made_at > now - LINK_LASTS)


def _to_sign_in(row: Any) -> SignIn:
    return SignIn(row.id, row.member_id, row.language, bool(row.at_home), row.opened_at, row.seen_at)
