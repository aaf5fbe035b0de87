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
    op.create_table('poll',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('author_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('audience_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('topic_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('question', sa.String(), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.Column('multiple', sa.Boolean(), nullable=False),
    sa.Column('suggestions', sa.Boolean(), nullable=False),
    sa.Column('anonymous', sa.Boolean(), nullable=False),
    sa.Column('live', sa.Boolean(), nullable=False),
    sa.Column('created_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('opens_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('closes_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('opened_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('closed_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('what_changed', sa.String(), nullable=False),
    sa.Column('published_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('chart_digest', sa.String(), nullable=True),
    sa.ForeignKeyConstraint(['audience_id'], ['audience.id'], name=op.f('fk_poll_audience_id_audience')),
    sa.ForeignKeyConstraint(['author_id'], ['member.id'], name=op.f('fk_poll_author_id_member')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_poll_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['topic_id'], ['topic.id'], name=op.f('fk_poll_topic_id_topic')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_poll'))
    )
    op.create_index(op.f('ix_poll_author_id'), 'poll', ['author_id'], unique=False)
    op.create_index('ix_poll_organisation_id', 'poll', ['organisation_id', 'state'], unique=False)
    op.create_index('ix_poll_state', 'poll', ['state', 'closes_at'], unique=False)
    op.create_table('named_vote',
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('chosen', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_named_vote_member_id_member')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_named_vote_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_named_vote_poll_id_poll')),
    sa.PrimaryKeyConstraint('poll_id', 'member_id', name='pk_named_vote')
    )
    op.create_index('ix_named_vote_member_id', 'named_vote', ['member_id'], unique=False)
    op.create_table('participation',
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_participation_member_id_member')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_participation_poll_id_poll')),
    sa.PrimaryKeyConstraint('poll_id', 'member_id', name='pk_participation'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_participation_member_id', 'participation', ['member_id'], unique=False)
    op.create_table('poll_cell',
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('voted', sa.Integer(), nullable=False),
    sa.Column('options', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_poll_cell_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_poll_cell_poll_id_poll')),
    sa.PrimaryKeyConstraint('poll_id', 'organisation_id', name='pk_poll_cell')
    )
    op.create_table('sealed_suggestion',
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('owner', sa.LargeBinary(), nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_sealed_suggestion_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_sealed_suggestion_poll_id_poll')),
    sa.PrimaryKeyConstraint('poll_id', 'owner', name='pk_sealed_suggestion'),
    sqlite_with_rowid=False
    )
    op.create_table('sealed_vote',
    sa.Column('token', storage.tables.columns.BigInt, autoincrement=False, nullable=False),
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_sealed_vote_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_sealed_vote_poll_id_poll')),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_sealed_vote'))
    )
    op.create_index('ix_sealed_vote_poll_id', 'sealed_vote', ['poll_id', 'organisation_id'], unique=False)


def downgrade() -> None:
    op.drop_table('sealed_vote')
    op.drop_table('sealed_suggestion')
    op.drop_table('poll_cell')
    op.drop_table('participation')
    op.drop_table('named_vote')
    op.drop_table('poll')
