"""Paid broadcasts and their second person

Revision: 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dispatch", sa.Column("paid", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("pace", sa.Column("kind", sa.String(), nullable=False, server_default="free"))
    _key("account_id", "kind")
    op.create_table(
        "paid_request",
        sa.Column("id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("notice_id", storage.tables.columns.BigInt, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_by", storage.tables.columns.BigInt, nullable=False),
        sa.Column("asked_at", storage.tables.columns.UtcDateTime(), nullable=False),
        sa.Column("decided_by", storage.tables.columns.BigInt, nullable=True),
        sa.Column("decided_at", storage.tables.columns.UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["member.id"], name=op.f("fk_paid_request_asked_by_member")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["member.id"], name=op.f("fk_paid_request_decided_by_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paid_request")),
    )
    op.create_index("ix_paid_request_notice_id", "paid_request", ["notice_id"], unique=False)
    op.create_index("ix_paid_request_state", "paid_request", ["state", "asked_at"], unique=False)
    op.create_index(op.f("ix_paid_request_asked_by"), "paid_request", ["asked_by"], unique=False)
    op.create_index(op.f("ix_paid_request_decided_by"), "paid_request", ["decided_by"], unique=False)
    op.create_index(
        "uq_paid_request_waiting",
        "paid_request",
        ["notice_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )


def downgrade() -> None:
    op.drop_table("paid_request")
    op.execute("DELETE FROM pace WHERE kind <> 'free'")
    _key("account_id")
    with op.batch_alter_table("pace", schema=None) as batch_op:
        batch_op.drop_column("kind")
    with op.batch_alter_table("dispatch", schema=None) as batch_op:
        batch_op.drop_column("paid")


def _key(*columns: str) -> None:
    with op.batch_alter_table("pace", schema=None) as batch_op:
        batch_op.drop_constraint("pk_pace", type_="primary")
        batch_op.create_primary_key("pk_pace", list(columns))
