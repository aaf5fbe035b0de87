"""Processes say that they run, and a pace counts its 429s

Revision: 0026, after 0025.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "process",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("since", storage.tables.columns.UtcDateTime(), nullable=False),
        sa.Column("beat_at", storage.tables.columns.UtcDateTime(), nullable=False),
        sa.Column("tick_lag", sa.Float(), nullable=True),
        sa.Column("problems", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_process")),
    )
    op.add_column("pace", sa.Column("busy_on", sa.Date(), nullable=True))
    op.add_column("pace", sa.Column("busy", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("pace", "busy")
    op.drop_column("pace", "busy_on")
    op.drop_table("process")
