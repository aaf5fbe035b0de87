"""A small town for tests: a city, two counties, a township and branches, with people of every role in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import bindparam, insert, update

from domain.accounts import Address, LinkState
from domain.permissions import Actor, Role
from domain.phones import hint, normalised
from services.people import People
from storage.database import Database, Session
from storage.sealing import Sealer
from storage.tables import (
    AccountLinkRow,
    AccountRow,
    MemberRow,
    MembershipRow,
    OrganisationRow,
    RoleGrantRow,
    metadata,
)
from storage.tables.base import Table

TODAY = date(2026, 3, 4)

_TREE = {
    "city": (None, "宁波市", "Ningbo", "committee", "city"),
    "haishu": ("city", "海曙区", "Haishu", "committee", "county"),
    "jiangbei": ("city", "江北区", "Jiangbei", "committee", "county"),
    "gulou": ("haishu", "鼓楼街道", "Gulou", "committee", "township"),
    "market": ("gulou", "城隍庙商圈", "Temple Market", "regional", "grassroots"),
    "north": ("gulou", "北大路支部", "", "branch", "grassroots"),
    "cicheng": ("jiangbei", "慈城支部", "", "branch", "grassroots"),
}

_PEOPLE = {
    "wang": ("王芳", "north", "13805740001"),
    "zhang": ("张伟", "north", "13805740002"),
    "zhao": ("赵敏", "market", None),
    "sun": ("孙丽", "cicheng", "13805740004"),
    "branch_secretary": ("李书记", "north", None),
    "county_secretary": ("陈书记", "haishu", None),
    "worker": ("周干事", "gulou", None),
    "observer": ("吴观察", "haishu", None),
    "former": ("郑前任", "north", None),
    "foreign_secretary": ("钱书记", "cicheng", None),
}

_GRANTS = (
    ("branch_secretary", "north", Role.SECRETARY, None),
    ("county_secretary", "haishu", Role.SECRETARY, None),
    ("worker", "gulou", Role.STAFF_WORKER, None),
    ("observer", "haishu", Role.OBSERVER, None),
    ("former", "north", Role.SECRETARY, date(2026, 3, 3)),
    ("foreign_secretary", "cicheng", Role.SECRETARY, None),
)


@dataclass(frozen=True)
class Town:
    """Ids by the names above."""

    database: Database
    people: People
    nodes: dict[str, int]
    paths: dict[str, str]
    members: dict[str, int]
    account_id: int
    telegram_id: int

    async def actor(self, name: str) -> Actor:
        found = await self.people.actor_of_member(self.members[name], TODAY)
        assert found is not None
        return found

    async def link(self, name: str, chat_id: int, state: LinkState = LinkState.ACTIVE) -> int:
        """Join a chat of the web chat's account to a member."""
        async with self.database.begin() as session:
            row = AccountLinkRow(
                member_id=self.members[name],
                account_id=self.account_id,
                chat_id=chat_id,
                state=state,
                since=datetime(2026, 1, 1, tzinfo=UTC),
            )
            session.add(row)
            await session.flush()
        return row.id or 0

    def address(self, chat_id: int) -> Address:
        return Address(self.account_id, chat_id)

    def telegram(self, chat_id: int) -> Address:
        """Return an address where the messenger verifies numbers."""
        return Address(self.telegram_id, chat_id)


async def build(database: Database, sealer: Sealer) -> Town:
    async with database.begin() as session:
        nodes, paths = await _organisations(session)
        people = [_member(title, nodes[home], phone, sealer) for title, home, phone in _PEOPLE.values()]
        members = dict(zip(_PEOPLE, await _write(session, people), strict=True))
        homes = [
            MembershipRow(member_id=number, organisation_id=row.home_id, since=date(2020, 1, 1))
            for number, row in zip(members.values(), people, strict=True)
        ]
        await _write(session, homes)
        grants = [
            RoleGrantRow(
                member_id=members[name],
                organisation_id=nodes[node],
                role=role,
                since=date(2025, 1, 1),
                until=until,
            )
            for name, node, role, until in _GRANTS
        ]
        await _write(session, grants)
        webchat = AccountRow(name="webchat", deep_link_template="http://chat.test/{bot}?start={payload}")
        telegram = AccountRow(name="telegram", residency="AE", verifies_phones=True)
        accounts = await _write(session, [webchat, telegram])
    return Town(database, People(database=database), nodes, paths, members, *accounts)


async def _organisations(session: Session) -> tuple[dict[str, int], dict[str, str]]:
    """Write the tree; returns ids and paths by name."""
    rows = [_organisation(name) for name in _TREE]
    nodes = dict(zip(_TREE, await _write(session, rows), strict=True))
    paths: dict[str, str] = {}
    for name, (parent, *_) in _TREE.items():
        paths[name] = f"{paths.get(parent or '', '/')}{nodes[name]}/"
    places = [
        {"node": nodes[name], "parent_id": nodes.get(parent or ""), "path": paths[name]}
        for name, (parent, *_) in _TREE.items()
    ]
    table = metadata.tables["organisation"]
    connection = await session.connection()
    await connection.execute(update(table).where(table.c.id == bindparam("node")), places)
    return nodes, paths


async def _write(session: Session, rows: Sequence[Table]) -> list[int]:
    """Write rows of a table in one statement; returns their ids in that order."""
    table = metadata.tables[str(rows[0].__tablename__)]
    values = [row.model_dump(exclude={"id"}) for row in rows]
    written = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return [int(number) for number in (await session.execute(written, values)).scalars()]


def _organisation(name: str) -> OrganisationRow:
    _, title, english, kind, level = _TREE[name]
    return OrganisationRow(
        path=f"pending:{name}",
        name=title,
        name_en=english,
        kind=kind,
        level=level,
        regional_mode="business_district" if kind == "regional" else None,
        contact=f"{title}办公室 0574-87000000",
    )


def _member(title: str, home: int, phone: str | None, sealer: Sealer) -> MemberRow:
    row = MemberRow(name=title, home_id=home)
    if phone:
        row.phone_index = sealer.blind_index(normalised(phone))
        row.phone_hint = hint(phone)
    return row
