"""A dispatch says above which number its deliveries lie, so that a week's pushes are found without the years before

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("dispatch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("above_id", storage.tables.columns.BigInt, nullable=True))
        batch_op.create_index("ix_dispatch_finished_at", ["finished_at"])


def downgrade() -> None:
    with op.batch_alter_table("dispatch", schema=None) as batch_op:
        batch_op.drop_index("ix_dispatch_finished_at")
        batch_op.drop_column("above_id")
