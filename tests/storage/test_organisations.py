"""The tree in the database: moves rewrite every path below, as an oracle of plain parents says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.organisations import child_path
from storage import organisations
from storage.database import Database
from storage.tables import metadata
from tests.factories import make_member, make_organisation

T = metadata.tables
NODES = 14


def path_of(number: int, parents: dict[int, int | None]) -> str:
    above = parents[number]
    return child_path("/" if above is None else path_of(above, parents), number)


@pytest.fixture
async def parents(database: Database) -> dict[int, int | None]:
    """Yield a tree, numbered so that ids are prefixes of one another (1, 10, 11 ...)."""
    tree: dict[int, int | None] = {}
    async with database.begin() as session:
        for number in range(1, NODES + 1):
            above = None if number == 1 else max(1, number // 2)
            tree[await make_organisation(session, id=number, parent=above)] = above
    return tree


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=st.lists(st.tuples(st.integers(2, NODES), st.integers(1, NODES)), min_size=1, max_size=6))
async def test_moving_subtrees_keeps_paths_and_parents_together(database: Database, parents, moves):
    table = T["organisation"]
    async with database.begin() as session:
        for number, to in moves:
            if path_of(to, parents).startswith(path_of(number, parents)):
                continue
            moved = await organisations.get(session, number)
            parent = await organisations.get(session, to)
            below = sum(path_of(each, parents).startswith(moved.path) for each in parents)
            parents[number] = to
            assert await organisations.move(session, moved, parent) == below
        rows = (await session.execute(select(table.c.id, table.c.parent_id, table.c.path))).all()
    assert {row.id: (row.parent_id, row.path) for row in rows} == {
        number: (above, path_of(number, parents)) for number, above in parents.items()
    }


async def test_the_chain_runs_from_the_root_down(database: Database, parents):
    async with database.read() as session:
        chain = await organisations.chain(session, path_of(13, parents))
    assert [each.id for each in chain] == [1, 3, 6, 13]


async def test_children_come_in_pages(database: Database):
    city = await make_organisation(database)
    below = [await make_organisation(database, parent=city) for _ in range(5)]
    await make_organisation(database, parent=city, status="dissolved")
    async with database.read() as session:
        first = await organisations.children(session, city, offset=0, limit=3)
        rest = await organisations.children(session, city, offset=3, limit=3)
    assert [each.id for each in first.items + rest.items] == below
    assert first.total == rest.total == 5


async def test_a_search_finds_two_characters_within_the_subtree_only(database: Database):
    city = await make_organisation(database, name="宁波")
    here = await make_organisation(database, parent=city, name="海曙")
    there = await make_organisation(database, parent=city, name="江北")
    wanted = await make_organisation(database, parent=here, name="白云社区支部", name_en="Baiyun Branch")
    await make_organisation(database, parent=there, name="白云山村支部")
    async with database.read() as session:
        paths = [f"/{city}/{here}/"]
        by_name = await organisations.search(session, paths, " 白云 ", offset=0, limit=10)
        by_english = await organisations.search(session, paths, "baiyun", offset=0, limit=10)
        nothing = await organisations.search(session, paths, "%", offset=0, limit=10)
        blank = await organisations.search(session, paths, "  ", offset=0, limit=10)
        nowhere = await organisations.search(session, [], "白云", offset=0, limit=10)
    assert [each.id for each in by_name.items] == [each.id for each in by_english.items] == [wanted]
    assert nothing.total == blank.total == nowhere.total == 0


async def test_counts_leave_out_the_dissolved_and_those_who_left(database: Database):
    city = await make_organisation(database)
    county = await make_organisation(database, parent=city)
    branch = await make_organisation(database, parent=county)
    await make_organisation(database, parent=county, status="dissolved")
    await make_member(database, home=city)
    await make_member(database, home=branch)
    await make_member(database, home=branch, status="left")
    async with database.read() as session:
        counts = await organisations.counts(session, f"/{city}/{county}/")
    assert counts == organisations.Counts(organisations=2, members=1)
