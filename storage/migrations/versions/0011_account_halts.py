"""Accounts that pause by themselves, deliveries left as they are, and the slices that are open

Revision: 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pace", sa.Column("halted_at", storage.tables.columns.UtcDateTime(), nullable=True))
    op.add_column("pace", sa.Column("halt_reason", sa.String(), nullable=True))
    op.add_column("pace", sa.Column("probe_at", storage.tables.columns.UtcDateTime(), nullable=True))
    op.add_column("pace", sa.Column("probe_after", sa.Integer(), nullable=True))
    op.add_column(
        "dispatch", sa.Column("unknown_left_at", storage.tables.columns.UtcDateTime(), nullable=True)
    )
    op.create_index(
        "ix_slice_open",
        "slice",
        ["dispatch_id", "account_id", "number"],
        unique=False,
        sqlite_where=sa.text("done IS 0"),
        postgresql_where=sa.text("done IS false"),
    )


def downgrade() -> None:
    op.drop_index("ix_slice_open", table_name="slice")
    with op.batch_alter_table("dispatch", schema=None) as batch_op:
        batch_op.drop_column("unknown_left_at")
    with op.batch_alter_table("pace", schema=None) as batch_op:
        batch_op.drop_column("probe_after")
        batch_op.drop_column("probe_at")
        batch_op.drop_column("halt_reason")
        batch_op.drop_column("halted_at")
