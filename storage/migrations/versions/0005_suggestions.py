"""Suggestions and their groups

Revision: 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('suggestion',
    sa.Column('id', storage.tables.columns.BigInt, autoincrement=False, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_suggestion_member_id_member')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_suggestion_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_suggestion_poll_id_poll')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion'))
    )
    op.create_index(op.f('ix_suggestion_member_id'), 'suggestion', ['member_id'], unique=False)
    op.create_index('ix_suggestion_organisation_id', 'suggestion', ['organisation_id'], unique=False)
    op.create_index(op.f('ix_suggestion_poll_id'), 'suggestion', ['poll_id'], unique=False)


def downgrade() -> None:
    op.drop_table('suggestion')
