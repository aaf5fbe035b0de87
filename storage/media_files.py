"""Files as an account's server knows them: uploaded once, sent by id after that."""

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.messages import Media
from storage.tables import metadata

media_file = metadata.tables["media_file"]


async def find(session: AsyncSession, account_id: int, media: Media) -> str | None:
    """Return the id under which this account's server knows the file, if it was uploaded before."""
    found = select(media_file.c.file_id).where(_known_as(account_id, media))
    return (await session.execute(found)).scalar()


async def keep(session: AsyncSession, account_id: int, media: Media, known_as: str) -> None:
    changed = await session.execute(
        update(media_file)
        .where(_known_as(account_id, media))
        .values(file_id=known_as)
        .returning(media_file.c.digest)
    )
    if changed.first() is None:
        fields = {"account_id": account_id, "digest": media.digest, "kind": media.kind}
        await session.execute(insert(media_file).values(**fields, file_id=known_as))


def _known_as(account_id: int, media: Media) -> ColumnElement[bool]:
    return and_(
        media_file.c.account_id == account_id,
        media_file.c.digest == media.digest,
        media_file.c.kind == media.kind,
    )
