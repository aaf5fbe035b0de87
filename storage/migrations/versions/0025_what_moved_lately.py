"""A slice knows what moved of it lately

Revision: 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

COLUMNS = (("moved_in", sa.Integer), ("moved", sa.Integer), ("moved_before", sa.Integer), ("moving_since", sa.Float))


def upgrade() -> None:
    for name, kind in COLUMNS:
        op.add_column("slice", sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("slice", name)
