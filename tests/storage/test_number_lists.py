"""Lists of numbers as one parameter: the same rows on both databases."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from storage import number_lists
from storage.database import Database

BIG = st.integers(min_value=-(2**63), max_value=2**63 - 1)


@given(rows=st.lists(st.tuples(BIG, BIG), max_size=20))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_rows_come_back_as_they_were_given(database: Database, rows: list[tuple[int, int]]):
    table = number_lists.table_of(database.dialect, "pairs", "a", "b")
    async with database.read() as session:
        found = await session.execute(select(table.c.a, table.c.b), {"pairs": number_lists.given(rows)})
        assert sorted(tuple(row) for row in found.all()) == sorted(rows)


@given(numbers=st.lists(BIG, max_size=20), wanted=st.lists(BIG, max_size=20))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_those_that_are_listed_are_among_them(
    database: Database, numbers: list[int], wanted: list[int]
):
    listed = [*wanted, *numbers[::2]]
    table = number_lists.table_of(database.dialect, "all_", "number")
    among = number_lists.among(database.dialect, table.c.number, "listed")
    given = {
        "all_": number_lists.given((each,) for each in numbers),
        "listed": number_lists.numbers(database.dialect, listed),
    }
    async with database.read() as session:
        found = await session.execute(select(table.c.number).where(among), given)
        assert sorted(found.scalars()) == sorted(each for each in numbers if each in listed)
