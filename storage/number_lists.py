"""Whole numbers given as one JSON list of lists, read as a table: one parameter and one statement, however many rows."""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Subquery, any_, bindparam, column, text


def given(rows: Iterable[Sequence[int]]) -> str:
    """Return the parameter for these rows."""
    return orjson.dumps([list(row) for row in rows]).decode()


def among(dialect: str, column: ColumnElement[int], parameter: str) -> ColumnElement[bool]:
    """Say whether a column is one of the numbers of a parameter; of a thousand, none is written into the statement.

    PostgreSQL gets an array: of JSON it believes whatever the length, and went through all deliveries for it.
    """
    if dialect == "sqlite":
        return column.in_(text(f"SELECT value FROM json_each(:{parameter})"))  # noqa: S608 - names of ours
    return column == any_(bindparam(parameter, type_=ARRAY(BigInteger)))


def numbers(dialect: str, wanted: Iterable[int]) -> str | list[int]:
    """Return the parameter for `among`."""
    return orjson.dumps(list(wanted)).decode() if dialect == "sqlite" else list(wanted)


def rows_of(dialect: str, parameter: str, *names: str) -> str:
    """Return the SELECT that reads a parameter as rows with these columns, for SQL written by hand."""
    if dialect == "sqlite":
        columns = (f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(names))
        return f"SELECT {', '.join(columns)} FROM json_each(:{parameter}) WHERE true"  # noqa: S608 - names of ours
    columns = (f"CAST(value->>{place} AS bigint) AS {name}" for place, name in enumerate(names))
    return f"SELECT {', '.join(columns)} FROM json_array_elements(CAST(:{parameter} AS json))"  # noqa: S608


def table_of(dialect: str, parameter: str, *names: str) -> Subquery:
    """Return the same as a table to join."""
    columns = [column(name, BigInteger) for name in names]
    return text(rows_of(dialect, parameter, *names)).columns(*columns).subquery(parameter)
