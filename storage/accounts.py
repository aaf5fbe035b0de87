"""Messenger accounts, the links of chats to members, and what is remembered of a chat."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, case, func, insert, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.accounts import HOME_COUNTRY, Account, AccountLink, Address, LinkState
from domain.organisations import subtree_bounds
from storage.tables import AccountLinkRow, AccountRow, ChatRow, InvitationRow, MemberRow, OrganisationRow

_link = AccountLinkRow.__table__  # type: ignore[attr-defined]
_account = AccountRow.__table__  # type: ignore[attr-defined]
_chat = ChatRow.__table__  # type: ignore[attr-defined]
_member = MemberRow.__table__  # type: ignore[attr-defined]
_organisation = OrganisationRow.__table__  # type: ignore[attr-defined]
_invitation = InvitationRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class WaitingLink:
    """A chat that opened an invitation and waits for the second proof, as its secretary sees it."""

    link_id: int
    state: LinkState
    member_id: int
    member_name: str
    home_id: int
    home_name: str
    home_path: str
    account_name: str
    since: datetime
    form: str


@dataclass(frozen=True, slots=True)
class Chat:
    """One chat of a member, on the account of this name."""

    address: Address
    account_name: str
    blocked: bool


def lasts(link: Any) -> ColumnElement[bool]:
    """Say of a link that it has not ended, as the index of addresses says it: by a parameter it would not be used."""
    return cast("ColumnElement[bool]", link.c.state != literal_column(f"'{LinkState.ENDED}'"))


async def account(session: AsyncSession, account_id: int) -> Account:
    row = (await session.execute(select(_account).where(_account.c.id == account_id))).one()
    return Account(
        id=row.id,
        name=row.name,
        residency=row.residency,
        barred=row.barred,
        verifies_phones=row.verifies_phones,
        deep_link_template=row.deep_link_template,
    )


async def put_account(
    session: AsyncSession,
    *,
    name: str,
    residency: str,
    verifies_phones: bool,
    deep_link_template: str,
    barred: bool = False,
) -> int:
    """Bring the row of a configured account in line with the settings; returns its id."""
    insert_: Any = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    fields = {
        "residency": residency,
        "barred": barred,
        "verifies_phones": verifies_phones,
        "deep_link_template": deep_link_template,
    }
    row = insert_(_account).values(name=name, **fields)
    put = row.on_conflict_do_update(index_elements=["name"], set_=fields).returning(_account.c.id)
    return int((await session.execute(put)).scalar_one())


async def barred(session: AsyncSession, *, home_only: bool = False) -> list[int]:
    """Return the accounts whose residency is not allowed: here, or `home_only`, for what is sensitive."""
    foreign = or_(_account.c.barred, _account.c.residency != HOME_COUNTRY)
    query = select(_account.c.id).where(foreign if home_only else _account.c.barred)
    query = query.order_by(_account.c.id)
    return list((await session.execute(query)).scalars())


async def others(session: AsyncSession, served: Collection[int]) -> list[int]:
    """Return the accounts besides these."""
    query = select(_account.c.id).where(_account.c.id.not_in(served)).order_by(_account.c.id)
    return list((await session.execute(query)).scalars())


async def link_at(session: AsyncSession, address: Address) -> AccountLink | None:
    """Return the link of a chat that has not ended."""
    query = select(_link).where(
        _link.c.account_id == address.account_id,
        _link.c.chat_id == address.chat_id,
        lasts(_link),
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else _to_link(row)


async def add_waiting(
    session: AsyncSession, *, member_id: int, address: Address, invitation_id: int, since: datetime
) -> int:
    values = {
        "member_id": member_id,
        "account_id": address.account_id,
        "chat_id": address.chat_id,
        "state": LinkState.PENDING,
        "since": since,
        "invitation_id": invitation_id,
    }
    added = await session.execute(insert(_link).values(values).returning(_link.c.id))
    return int(added.scalar_one())


async def activate(
    session: AsyncSession, link: AccountLink, *, since: datetime, decided_by: int | None
) -> bool:
    """Make a waiting link active and end the member's other chats on that account; `False` if it waits no more.

    What is sent to them goes on going where it went: here only if no other account has the first place.
    """
    changed = await _move(session, link.id, LinkState.PENDING, LinkState.ACTIVE, since, decided_by)
    if changed:
        elsewhere = _linked(link.member_id).where(
            _link.c.place == 0, _link.c.account_id != link.address.account_id
        )
        place = 1 if (await session.execute(elsewhere)).first() else 0
        await session.execute(update(_link).where(_link.c.id == link.id).values(place=place))
        others = (
            update(_link)
            .where(_link.c.member_id == link.member_id, _link.c.account_id == link.address.account_id)
            .where(_link.c.id != link.id, _link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED]))
        )
        await session.execute(others.values(state=LinkState.ENDED, since=since))
    return changed


async def refuse(session: AsyncSession, link_id: int, *, since: datetime, decided_by: int) -> bool:
    """End a waiting link; `False` if it waits no more."""
    return await _move(session, link_id, LinkState.PENDING, LinkState.ENDED, since, decided_by)


async def end(session: AsyncSession, link_id: int, since: datetime) -> None:
    """Take a link apart, whatever its state."""
    await session.execute(
        update(_link).where(_link.c.id == link_id).values(state=LinkState.ENDED, since=since)
    )


async def set_blocked(session: AsyncSession, address: Address, *, blocked: bool) -> None:
    """Remember that a person blocked the bot, or came back."""
    before, after = (
        (LinkState.ACTIVE, LinkState.BLOCKED) if blocked else (LinkState.BLOCKED, LinkState.ACTIVE)
    )
    where = (_link.c.account_id == address.account_id, _link.c.chat_id == address.chat_id)
    changed = update(_link).where(*where, lasts(_link), _link.c.state == before)
    await session.execute(changed.values(state=after))


async def waiting(
    session: AsyncSession, paths: tuple[str, ...], *, but: int, offset: int, limit: int
) -> list[WaitingLink]:
    """Return links that wait within these subtrees but for one member's own, the oldest first."""
    if not paths:
        return []
    query = _waiting_query().where(
        _link.c.state == LinkState.PENDING, _below(paths), _link.c.member_id != but
    )
    rows = await session.execute(query.order_by(_link.c.id).offset(offset).limit(limit))
    return [_to_waiting(row) for row in rows]


async def count_waiting(session: AsyncSession, paths: tuple[str, ...], *, but: int) -> int:
    """Count the links that wait within these subtrees but for one member's own."""
    if not paths:
        return 0
    query = (
        select(func.count())
        .select_from(_link)
        .join(_member, _member.c.id == _link.c.member_id)
        .join(_organisation, _organisation.c.id == _member.c.home_id)
        .where(_link.c.state == LinkState.PENDING, _below(paths), _link.c.member_id != but)
    )
    return int((await session.execute(query)).scalar_one())


async def names_of(session: AsyncSession, member_id: int) -> list[str]:
    """Return the names of the messengers a member is linked on."""
    query = (
        select(_account.c.name)
        .join(_link, _link.c.account_id == _account.c.id)
        .where(_link.c.member_id == member_id, _link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED]))
        .order_by(_account.c.id)
    )
    return list((await session.execute(query)).scalars())


async def link_with_home(session: AsyncSession, link_id: int) -> tuple[AccountLink, WaitingLink] | None:
    """Return a link, and the same as its secretary sees it."""
    row = (await session.execute(_waiting_query().where(_link.c.id == link_id))).one_or_none()
    return None if row is None else (_to_link(row), _to_waiting(row))


async def chats_of(session: AsyncSession, member_id: int) -> list[Chat]:
    """Return where a member can be written to, the first choice first; not where that is not allowed."""
    query = (
        _linked(member_id)
        .add_columns(_account.c.name)
        .join(_account, _account.c.id == _link.c.account_id)
        .where(_account.c.barred.is_(False))
        .order_by(_link.c.place, _link.c.account_id)
    )
    return [
        Chat(Address(row.account_id, row.chat_id), row.name, blocked=row.state == LinkState.BLOCKED)
        for row in await session.execute(query)
    ]


async def prefer(session: AsyncSession, member_id: int, account_id: int) -> bool:
    """Send to a member on this account from now on; `False` if they have no chat there."""
    allowed = select(_account.c.id).where(_account.c.id == account_id, _account.c.barred.is_(False))
    here = _linked(member_id).where(_link.c.account_id.in_(allowed))
    if (await session.execute(here)).first() is None:
        return False
    place = case((_link.c.account_id == account_id, 0), else_=1)
    await session.execute(update(_link).where(_link.c.member_id == member_id).values(place=place))
    return True


async def language_of(session: AsyncSession, address: Address) -> str | None:
    """Return the language chosen in a chat; without a choice, that of the member behind it."""
    chosen = select(_chat.c.language).where(*_at(_chat, address))
    linked = (
        select(_member.c.language)
        .join(_link, _link.c.member_id == _member.c.id)
        .where(*_at(_link, address), _link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED]))
    )
    row = (await session.execute(select(chosen.scalar_subquery(), linked.scalar_subquery()))).one()
    language: str | None = row[0] or row[1]
    return language


async def set_language(session: AsyncSession, address: Address, language: str) -> None:
    """Remember a chat's language, for its member's messages too."""
    dialect = session.get_bind().dialect.name
    upsert: Any = postgresql_insert(_chat) if dialect == "postgresql" else sqlite_insert(_chat)
    upsert = upsert.values(account_id=address.account_id, chat_id=address.chat_id, language=language)
    await session.execute(
        upsert.on_conflict_do_update(index_elements=["account_id", "chat_id"], set_={"language": language})
    )
    linked = select(_link.c.member_id).where(
        *_at(_link, address), _link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED])
    )
    await session.execute(update(_member).where(_member.c.id.in_(linked)).values(language=language))


def _linked(member_id: int) -> Any:
    linked = _link.c.state.in_([LinkState.ACTIVE, LinkState.BLOCKED])
    return select(_link).where(_link.c.member_id == member_id, linked)


def _at(table: Any, address: Address) -> tuple[Any, Any]:
    return table.c.account_id == address.account_id, table.c.chat_id == address.chat_id


def _below(paths: tuple[str, ...]) -> Any:
    ranges = [subtree_bounds(path) for path in paths]
    return or_(*((_organisation.c.path >= low) & (_organisation.c.path < high) for low, high in ranges))


async def _move(
    session: AsyncSession, link_id: int, before: str, after: str, since: datetime, decided_by: int | None
) -> bool:
    change = update(_link).where(_link.c.id == link_id, _link.c.state == before)
    moved = change.values(state=after, since=since, decided_by=decided_by).returning(_link.c.id)
    return (await session.execute(moved)).first() is not None


def _waiting_query() -> Any:
    return (
        select(
            _link,
            _member.c.name.label("member_name"),
            _organisation.c.id.label("home_id"),
            _organisation.c.name.label("home_name"),
            _organisation.c.path.label("home_path"),
            _account.c.name.label("account_name"),
            _invitation.c.form.label("form"),
        )
        .join(_member, _member.c.id == _link.c.member_id)
        .join(_organisation, _organisation.c.id == _member.c.home_id)
        .join(_account, _account.c.id == _link.c.account_id)
        .outerjoin(_invitation, _invitation.c.id == _link.c.invitation_id)
    )


def _to_link(row: Any) -> AccountLink:
    return AccountLink(
        id=row.id,
        member_id=row.member_id,
        address=Address(row.account_id, row.chat_id),
        state=LinkState(row.state),
        since=row.since,
    )


def _to_waiting(row: Any) -> WaitingLink:
    return WaitingLink(
        link_id=row.id,
        state=LinkState(row.state),
        member_id=row.member_id,
        member_name=row.member_name,
        home_id=row.home_id,
        home_name=row.home_name,
        home_path=row.home_path,
        account_name=row.account_name,
        since=row.since,
        form=row.form or "link",
    )
