"""Schedules, occurrences and holidays

Revision: 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('holiday_year',
    sa.Column('year', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('entered_at', storage.tables.columns.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('year', name=op.f('pk_holiday_year'))
    )
    op.create_table('schedule',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('useful_seconds', storage.tables.columns.BigInt, nullable=False),
    sa.Column('next_planned', sa.Date(), nullable=True),
    sa.Column('next_run_at', storage.tables.columns.UtcDateTime(timezone=True), nullable=True),
    sa.Column('dropped_at', storage.tables.columns.UtcDateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schedule')),
    sa.UniqueConstraint('kind', 'subject_id', name=op.f('uq_schedule_kind_subject_id'))
    )
    op.create_index(op.f('ix_schedule_next_run_at'), 'schedule', ['next_run_at'], unique=False)
    op.create_table('holiday_day',
    sa.Column('year', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['year'], ['holiday_year.year'], name=op.f('fk_holiday_day_year_holiday_year')),
    sa.PrimaryKeyConstraint('year', 'day', name='pk_holiday_day')
    )
    op.create_table('occurrence',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('schedule_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('planned', sa.Date(), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('at', storage.tables.columns.UtcDateTime(timezone=True), nullable=False),
    sa.Column('useful_until', storage.tables.columns.UtcDateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('look_at', storage.tables.columns.UtcDateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('asked_at', storage.tables.columns.UtcDateTime(timezone=True), nullable=True),
    sa.Column('finished_at', storage.tables.columns.UtcDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedule.id'], name=op.f('fk_occurrence_schedule_id_schedule')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_occurrence')),
    sa.UniqueConstraint('schedule_id', 'planned', name=op.f('uq_occurrence_schedule_id_planned'))
    )
    op.create_index('ix_occurrence_state', 'occurrence', ['state', 'look_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_occurrence_state', table_name='occurrence')
    op.drop_table('occurrence')
    op.drop_table('holiday_day')
    op.drop_index(op.f('ix_schedule_next_run_at'), table_name='schedule')
    op.drop_table('schedule')
    op.drop_table('holiday_year')
