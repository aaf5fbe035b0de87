"""A roster is staged apart

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('member', sa.Column('roster_number', sa.String(), nullable=False, server_default=''))
    op.add_column('organisation', sa.Column('roster_number', sa.String(), nullable=False, server_default=''))
    op.create_index('ix_member_home_name', 'member', ['home_id', 'name'], unique=False)
    op.create_index('ix_member_roster_number', 'member', ['roster_number'], unique=False,
    sqlite_where=sa.text("roster_number <> ''"), postgresql_where=sa.text("roster_number <> ''"))
    op.create_table('roster_import',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('actor_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('scope', storage.tables.columns.Path, nullable=False),
    sa.Column('file_name', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('look', sa.String(), nullable=False),
    sa.Column('plan', sa.String(), nullable=False),
    sa.Column('figures', sa.String(), nullable=False),
    sa.Column('staged', sa.Integer(), nullable=False),
    sa.Column('created_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('touched_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roster_import')),
    sa.UniqueConstraint('token', name=op.f('uq_roster_import_token'))
    )
    op.create_index(op.f('ix_roster_import_state'), 'roster_import', ['state'], unique=False)
    op.create_table('roster_row',
    sa.Column('import_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('sum', sa.LargeBinary(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('what', sa.String(), nullable=False),
    sa.Column('deed', sa.String(), nullable=False),
    sa.Column('subject_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('organisation_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('place', sa.String(), nullable=False),
    sa.Column('parent_line', sa.Integer(), nullable=True),
    sa.Column('depth', sa.Integer(), nullable=False),
    sa.Column('number', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('phone_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('phone_index', sa.LargeBinary(), nullable=True),
    sa.Column('phone_hint', sa.String(), nullable=False),
    sa.Column('standing', sa.String(), nullable=False),
    sa.Column('joined', sa.Date(), nullable=True),
    sa.Column('name_en', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('level', sa.String(), nullable=False),
    sa.Column('mode', sa.String(), nullable=False),
    sa.Column('contact', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['import_id'], ['roster_import.id'], name=op.f('fk_roster_row_import_id_roster_import')),
    sa.PrimaryKeyConstraint('import_id', 'line', name='pk_roster_row'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_roster_row_name', 'roster_row', ['name', 'organisation_id'], unique=False)
    op.create_index('ix_roster_row_number', 'roster_row', ['number'], unique=False)
    op.create_index('ix_roster_row_phone_index', 'roster_row', ['phone_index'], unique=False)
    op.create_index('ix_roster_row_subject_id', 'roster_row', ['subject_id'], unique=False)


def downgrade() -> None:
    op.drop_table('roster_row')
    op.drop_table('roster_import')
    op.drop_index('ix_member_roster_number', table_name='member')
    op.drop_index('ix_member_home_name', table_name='member')
    op.drop_column('organisation', 'roster_number')
    op.drop_column('member', 'roster_number')
