"""Files as an account's server knows them: uploaded once, sent by id after that; or messages that it copies."""

from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.messages import MESSAGE, Media, Original
from storage.tables import metadata

media_file = metadata.tables["media_file"]


async def find(session: AsyncSession, account_id: int, media: Media) -> str | None:
    """Return the id under which this account's server knows the file, if it was uploaded before."""
    found = select(media_file.c.file_id, media_file.c.chat_id).where(_known_as(account_id, media))
    row = (await session.execute(found)).first()
    if row is None or row.chat_id is None:
        return None if row is None else str(row.file_id)
    return Original(row.chat_id, int(row.file_id)).known_as


async def keep(session: AsyncSession, account_id: int, media: Media, known_as: str) -> None:
    values: dict[str, Any] = {"file_id": known_as, "chat_id": None}
    if media.kind == MESSAGE:
        original = Original.of(known_as)
        values = {"file_id": str(original.message_id), "chat_id": original.chat_id}
    changed = await session.execute(
        update(media_file).where(_known_as(account_id, media)).values(values).returning(media_file.c.digest)
    )
    if changed.first() is None:
        fields = {"account_id": account_id, "digest": media.digest, "kind": media.kind}
        await session.execute(insert(media_file).values(fields | values))


def _known_as(account_id: int, media: Media) -> ColumnElement[bool]:
    return and_(
        media_file.c.account_id == account_id,
        media_file.c.digest == media.digest,
        media_file.c.kind == media.kind,
    )
