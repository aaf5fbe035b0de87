"""The chat server's store: one SQLite file, one connection, short transactions in the event loop.

A statement costs tens of microseconds (WAL, synchronous NORMAL), less than handing it to a thread.
"""

import hashlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MIGRATIONS = Path(__file__).parent / "migrations"
Row = sqlite3.Row


def digest(secret: str) -> bytes:
    """Hash a secret of 128 bits or more, so that the file holds none."""
    return hashlib.sha256(secret.encode()).digest()


class Store:
    """Opens (and migrates) the file; `begin()` is one transaction, entered again it joins the outer one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = Row
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "foreign_keys = ON",
            "busy_timeout = 5000",
            "secure_delete = ON",  # a backup copies free pages
        ):
            self._connection.execute(f"PRAGMA {pragma}")
        self._migrate()

    @contextmanager
    def begin(self) -> Iterator[None]:
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> int:
        """Execute a statement; returns how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def insert(self, statement: str, *values: Any) -> int:
        """Execute an INSERT; returns the row's id."""
        return self._connection.execute(statement, values).lastrowid or 0

    def one(self, statement: str, *values: Any) -> Row | None:
        row: Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, *values: Any) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        self._connection.close()

    def _migrate(self) -> None:
        done = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        for path in sorted(MIGRATIONS.glob("[0-9]*.sql")):
            number = int(re.match(r"\d+", path.name)[0])  # type: ignore[index]
            if number > done:
                self._connection.executescript(
                    f"BEGIN;\n{path.read_text()}\nPRAGMA user_version = {number};\nCOMMIT;"
                )
