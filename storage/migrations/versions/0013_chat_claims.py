"""Chats claimed by row, and preferred accounts

Revision: 0013, after 0011.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chat_claim",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("chat_id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_chat_claim_account_id_account"),
        sa.PrimaryKeyConstraint("account_id", "chat_id", name="pk_chat_claim"),
    )
    op.create_index("ix_chat_claim_holder", "chat_claim", ["holder"])
    op.add_column("account", sa.Column("barred", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("delivery", sa.Column("tried", sa.String(), nullable=True))
    op.drop_index("ix_account_link_member_id", table_name="account_link")
    op.add_column("account_link", sa.Column("place", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("ix_account_link_member_id", "account_link", ["member_id", "state", "place", "account_id"])


def downgrade() -> None:
    op.drop_index("ix_account_link_member_id", table_name="account_link")
    with op.batch_alter_table("account_link", schema=None) as batch_op:
        batch_op.drop_column("place")
    op.create_index("ix_account_link_member_id", "account_link", ["member_id", "state", "account_id"])
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("tried")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_column("barred")
    op.drop_table("chat_claim")
