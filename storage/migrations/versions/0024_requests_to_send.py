"""Requests to send a notice for a price or urgently stand in one table, and a notice says that it went urgently

Revision: 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KEPT = "id, notice_id, digest, messages, stars, state, asked_by, asked_at, decided_by, decided_at"
TOLD = ("asked", "decided")


def upgrade() -> None:
    op.add_column("notice", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
    _create("send_request", sa.Column("way", sa.String(), nullable=False))
    op.execute(f"INSERT INTO send_request (way, {KEPT}) SELECT 'paid', {KEPT} FROM paid_request")  # noqa: S608
    _count_on("send_request")
    op.drop_table("paid_request")
    for what in TOLD:
        op.execute(f"UPDATE dispatch SET source = 'send_{what}' WHERE source = 'paid_{what}'")  # noqa: S608


def downgrade() -> None:
    for what in TOLD:
        op.execute(f"UPDATE dispatch SET source = 'paid_{what}' WHERE source = 'send_{what}'")  # noqa: S608
    _create("paid_request")
    op.execute(
        f"INSERT INTO paid_request ({KEPT}) SELECT {KEPT} FROM send_request WHERE way = 'paid'"  # noqa: S608
    )
    _count_on("paid_request")
    op.drop_table("send_request")
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_column("urgent")


def _create(table: str, *more: sa.Column[str]) -> None:
    op.create_table(
        table,
        sa.Column("id", storage.tables.columns.BigInt, nullable=False),
        *more,
        sa.Column("notice_id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", storage.tables.columns.BigInt, nullable=False),
        sa.Column("asked_at", storage.tables.columns.UtcDateTime(), nullable=False),
        sa.Column("decided_by", storage.tables.columns.BigInt, nullable=True),
        sa.Column("decided_at", storage.tables.columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["member.id"], name=op.f(f"fk_{table}_asked_by_member")),
        sa.ForeignKeyConstraint(["decided_by"], ["member.id"], name=op.f(f"fk_{table}_decided_by_member")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_notice_id", table, ["notice_id"], unique=False)
    op.create_index(f"ix_{table}_state", table, ["state", "asked_at"], unique=False)
    op.create_index(op.f(f"ix_{table}_asked_by"), table, ["asked_by"], unique=False)
    op.create_index(op.f(f"ix_{table}_decided_by"), table, ["decided_by"], unique=False)
    op.create_index(
        f"uq_{table}_waiting",
        table,
        ["notice_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )


def _count_on(table: str) -> None:
    """Let PostgreSQL number new rows above those that were copied; SQLite does so by itself."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"  # noqa: S608
        )
