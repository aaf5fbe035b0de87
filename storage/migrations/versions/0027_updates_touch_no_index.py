"""What is claimed and recorded touches no index of the deliveries, and a slice says when it was last taken

Revision: 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_delivery_slice", "delivery")
    op.create_index("ix_delivery_slice", "delivery", ["slice_id", "id"], unique=False)
    op.add_column("slice", sa.Column("opened_at", storage.tables.columns.UtcDateTime(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery SET (fillfactor = 50)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery RESET (fillfactor)")
    op.drop_column("slice", "opened_at")
    op.drop_index("ix_delivery_slice", "delivery")
    op.create_index("ix_delivery_slice", "delivery", ["slice_id", "state", "id"], unique=False)
