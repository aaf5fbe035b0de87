"""Service days and reminders

Revision: 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('service_day',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('planned', sa.Date(), nullable=False),
    sa.Column('date', sa.Date(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('why', sa.String(), nullable=False),
    sa.Column('holiday', sa.String(), nullable=False),
    sa.Column('holiday_en', sa.String(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('told_revision', sa.Integer(), nullable=True),
    sa.Column('changed_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('decided_at', storage.tables.columns.UtcDateTime(), nullable=True),
    sa.Column('decided_by', storage.tables.columns.BigInt, nullable=True),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_service_day_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_day')),
    sa.UniqueConstraint('organisation_id', 'month', name=op.f('uq_service_day_organisation_id_month'))
    )
    op.create_table('service_plan',
    sa.Column('organisation_id', storage.tables.columns.BigInt, autoincrement=False, nullable=False),
    sa.Column('since', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_service_plan_organisation_id_organisation')),
    sa.PrimaryKeyConstraint('organisation_id', name=op.f('pk_service_plan'))
    )
    op.create_table('calendar_address',
    sa.Column('member_id', storage.tables.columns.BigInt, autoincrement=False, nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('since', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_calendar_address_member_id_member')),
    sa.PrimaryKeyConstraint('member_id', name=op.f('pk_calendar_address')),
    sa.UniqueConstraint('digest', name=op.f('uq_calendar_address_digest'))
    )
    op.create_table('service_activity',
    sa.Column('service_day_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('changed_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_service_activity_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['service_day_id'], ['service_day.id'], name=op.f('fk_service_activity_service_day_id_service_day')),
    sa.PrimaryKeyConstraint('service_day_id', 'organisation_id', name='pk_service_activity')
    )
    op.create_index('ix_service_activity_organisation_id', 'service_activity', ['organisation_id'], unique=False)
    op.create_table('service_lead',
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_service_lead_member_id_member')),
    sa.PrimaryKeyConstraint('member_id', 'days', name='pk_service_lead')
    )
    op.create_table('service_step',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('service_day_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('key', sa.Integer(), nullable=False),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('about', sa.Date(), nullable=False),
    sa.Column('cancelled', sa.Boolean(), nullable=False),
    sa.Column('due_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('too_late', sa.Boolean(), nullable=False),
    sa.Column('dispatch_id', storage.tables.columns.BigInt, nullable=True),
    sa.ForeignKeyConstraint(['dispatch_id'], ['dispatch.id'], name=op.f('fk_service_step_dispatch_id_dispatch')),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_service_step_organisation_id_organisation')),
    sa.ForeignKeyConstraint(['service_day_id'], ['service_day.id'], name=op.f('fk_service_step_service_day_id_service_day')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_service_step')),
    sa.UniqueConstraint('service_day_id', 'kind', 'key', 'organisation_id', name=op.f('uq_service_step_service_day_id_kind_key_organisation_id'))
    )
    op.create_index('ix_service_step_dispatch_id', 'service_step', ['dispatch_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_service_step_dispatch_id', table_name='service_step')
    op.drop_table('service_step')
    op.drop_table('service_lead')
    op.drop_index('ix_service_activity_organisation_id', table_name='service_activity')
    op.drop_table('service_activity')
    op.drop_table('calendar_address')
    op.drop_table('service_plan')
    op.drop_table('service_day')
