"""A claim finds the next deliveries of its slice in the index, in their order, instead of walking all before them

Revision: 0018, after 0017.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_delivery_slice", "delivery")
    op.create_index("ix_delivery_slice", "delivery", ["slice_id", "state", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_delivery_slice", "delivery")
    op.create_index("ix_delivery_slice", "delivery", ["slice_id", "state"], unique=False)
