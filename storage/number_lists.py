"""Whole numbers given as one JSON list of lists, read as a table: one parameter and one statement, however many rows."""

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, Subquery, column, text


def given(rows: Iterable[Sequence[int]]) -> str:
    """Return the parameter for these rows."""
    return json.dumps([list(row) for row in rows])


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
