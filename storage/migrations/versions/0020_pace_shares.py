"""Dispatches share the pace of an account over the whole fleet

Revision: 0020, after 0019.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pace_share",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dispatch_id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("granted", sa.Float(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_pace_share_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "kind", "dispatch_id", name="pk_pace_share"),
    )


def downgrade() -> None:
    op.drop_table("pace_share")
