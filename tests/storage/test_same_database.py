"""Two addresses of one database, as operators spell them."""

import pytest

from storage.same_database import same_database

POSTGRESQL = "postgresql+asyncpg://tongdao:secret@localhost:5432/tongdao"


def test_a_file_is_the_same_by_a_relative_path_a_link_and_an_absolute_one(tmp_path, monkeypatch):
    (tmp_path / "var").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "var")
    monkeypatch.chdir(tmp_path)
    absolute = f"sqlite+aiosqlite:///{tmp_path / 'var' / 'tongdao.db'}"
    for path in ("var/tongdao.db", "./var/../var/tongdao.db", "linked/tongdao.db"):
        assert same_database(f"sqlite+aiosqlite:///{path}", absolute)
    assert not same_database("sqlite+aiosqlite:///tongdao.db", absolute)


@pytest.mark.parametrize(
    "spelled",
    [
        "postgresql+asyncpg://tongdao@localhost/tongdao",
        "postgresql+asyncpg://127.0.0.1/tongdao",
        "postgresql+asyncpg://[::1]:5432/tongdao",
        "postgresql+asyncpg://other:word@LOCALHOST/tongdao",
        "postgresql+asyncpg:///tongdao",
        "postgresql+asyncpg://tongdao@localhost",
        "postgresql+asyncpg://tongdao@/tongdao?host=/var/run/postgresql",
        "postgresql+asyncpg:///tongdao?host=localhost&port=5432",
        "postgresql+asyncpg:///tongdao?host=localhost:5432",
    ],
)
def test_a_database_of_postgresql_is_the_same_in_every_spelling(spelled):
    assert same_database(spelled, POSTGRESQL)


@pytest.mark.parametrize(
    "other",
    [
        "postgresql+asyncpg://tongdao@localhost/another",
        "postgresql+asyncpg://tongdao@localhost:5433/tongdao",
        "postgresql+asyncpg://tongdao@database.example.org/tongdao",
        "sqlite+aiosqlite:///tongdao",
    ],
)
def test_another_server_port_or_name_is_another_database(other):
    assert not same_database(other, POSTGRESQL)
