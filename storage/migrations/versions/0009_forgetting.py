"""The ledger of the forgotten

Revision: 0009, after 0008.
"""

import secrets

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('forgotten',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_forgotten')),
    sa.UniqueConstraint('member_id', 'at', name=op.f('uq_forgotten_member_id_at'))
    )
    op.create_index('ix_audit_entry_actor_id', 'audit_entry', ['actor_id', 'id'], unique=False)
    meta = sa.table('meta', sa.column('name', sa.String()), sa.column('value', sa.String()))
    op.execute(meta.insert().values(name='bridge', value=secrets.token_hex(16)))


def downgrade() -> None:
    op.execute("DELETE FROM meta WHERE name = 'bridge'")
    op.drop_index('ix_audit_entry_actor_id', table_name='audit_entry')
    op.drop_table('forgotten')
