"""Polls, their sealed votes and results

Revision: 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
