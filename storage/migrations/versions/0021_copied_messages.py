"""A film or a sound is a message that an account copies from the chat in which it was given it

Revision: 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("media_file", sa.Column("chat_id", storage.tables.columns.BigInt, nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM media_file WHERE chat_id IS NOT NULL")
    with op.batch_alter_table("media_file") as batch_op:
        batch_op.drop_column("chat_id")
