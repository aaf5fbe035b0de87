"""Sign-ins to the console

Revision: 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in",
        sa.Column("id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("member_id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("at_home", sa.Boolean(), nullable=False),
        sa.Column("made_at", storage.tables.columns.UtcDateTime(), nullable=False),
        sa.Column("opened_at", storage.tables.columns.UtcDateTime(), nullable=True),
        sa.Column("seen_at", storage.tables.columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_sign_in_member_id_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("digest", name=op.f("uq_sign_in_digest")),
    )
    op.create_index("ix_sign_in_member_id", "sign_in", ["member_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_sign_in_member_id", table_name="sign_in")
    op.drop_table("sign_in")
