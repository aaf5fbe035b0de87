"""A notice that touches personal matters goes only by accounts that keep their data in the home country

Revision: 0019, after 0018.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("sensitive", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("dispatch", sa.Column("home_only", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("dispatch") as batch_op:
        batch_op.drop_column("home_only")
    with op.batch_alter_table("notice") as batch_op:
        batch_op.drop_column("sensitive")
