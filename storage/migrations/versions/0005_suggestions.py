"""Suggestions and their groups; requests to dissolve organisations

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
    op.create_table('suggestion_group',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('tag', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('merged_into', storage.tables.columns.BigInt, nullable=True),
    sa.Column('answer', sa.String(), nullable=False),
    sa.Column('answered_by', storage.tables.columns.BigInt, nullable=True),
    sa.Column('answered_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['answered_by'], ['member.id'], name=op.f('fk_suggestion_group_answered_by_member')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_suggestion_group_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion_group'))
    )
    op.create_index(op.f('ix_suggestion_group_answered_by'), 'suggestion_group', ['answered_by'], unique=False)
    op.create_index(op.f('ix_suggestion_group_merged_into'), 'suggestion_group', ['merged_into'], unique=False)
    op.create_index('ix_suggestion_group_organisation_id', 'suggestion_group', ['organisation_id', 'state'], unique=False)
    op.create_table('suggestion',
    sa.Column('id', storage.tables.columns.BigInt, autoincrement=False, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('poll_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('group_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['suggestion_group.id'], name=op.f('fk_suggestion_group_id_suggestion_group')),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_suggestion_member_id_member')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_suggestion_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['poll_id'], ['poll.id'], name=op.f('fk_suggestion_poll_id_poll')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_suggestion'))
    )
    op.create_index(op.f('ix_suggestion_group_id'), 'suggestion', ['group_id'], unique=False)
    op.create_index('ix_suggestion_member_id', 'suggestion', ['member_id', 'day'], unique=False)
    op.create_index('ix_suggestion_organisation_id', 'suggestion', ['organisation_id'], unique=False)
    op.create_index(op.f('ix_suggestion_poll_id'), 'suggestion', ['poll_id'], unique=False)
    op.create_table('dissolution',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('target_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('filing_number', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('asked_by', storage.tables.columns.BigInt, nullable=False),
    sa.Column('asked_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('decided_by', storage.tables.columns.BigInt, nullable=True),
    sa.Column('decided_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('moved', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by'], ['member.id'], name=op.f('fk_dissolution_asked_by_member')),
    sa.ForeignKeyConstraint(['decided_by'], ['member.id'], name=op.f('fk_dissolution_decided_by_member')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_dissolution_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['target_id'], ['organisation.id'], name=op.f('fk_dissolution_target_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dissolution'))
    )
    op.create_index(op.f('ix_dissolution_asked_by'), 'dissolution', ['asked_by'], unique=False)
    op.create_index(op.f('ix_dissolution_decided_by'), 'dissolution', ['decided_by'], unique=False)
    op.create_index('ix_dissolution_organisation_id', 'dissolution', ['organisation_id'], unique=False)
    op.create_index(op.f('ix_dissolution_target_id'), 'dissolution', ['target_id'], unique=False)
    op.create_index('uq_dissolution_waiting', 'dissolution', ['organisation_id'], unique=True, sqlite_where=sa.text("state = 'asked'"), postgresql_where=sa.text("state = 'asked'"))


def downgrade() -> None:
    op.drop_table('dissolution')
    op.drop_table('suggestion')
    op.drop_table('suggestion_group')
