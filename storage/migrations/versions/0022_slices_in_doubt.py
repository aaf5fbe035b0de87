"""Slices with recipients who perhaps received something are found by an index

Revision: 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_slice_unknown",
        "slice",
        ["dispatch_id"],
        unique=False,
        sqlite_where=sa.text("unknown > 0"),
        postgresql_where=sa.text("unknown > 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_slice_unknown", table_name="slice")
