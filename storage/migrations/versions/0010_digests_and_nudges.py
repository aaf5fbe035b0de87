"""Digests, nudges, recurring notices, and invitations that ran out

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('nudge',
    sa.Column('notice_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('by_id', storage.tables.columns.BigInt, nullable=True),
    sa.Column('dispatch_id', storage.tables.columns.BigInt, nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['member.id'], name=op.f('fk_nudge_by_id_member')),
    sa.ForeignKeyConstraint(['dispatch_id'], ['dispatch.id'], name=op.f('fk_nudge_dispatch_id_dispatch')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_nudge_notice_id_notice')),
    sa.PrimaryKeyConstraint('notice_id', 'scope', name='pk_nudge')
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('nudge_after', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('copy_of', storage.tables.columns.BigInt, nullable=True))
        batch_op.create_index(batch_op.f('ix_notice_copy_of'), ['copy_of'], unique=False)
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('ended', sa.String(), nullable=True))
        batch_op.add_column(sa.Column('told_at', storage.tables.columns.UtcDateTime(), nullable=True))
        batch_op.create_index('ix_invitation_created_by', ['created_by', 'ended'], unique=False)
    op.execute(
        "UPDATE invitation SET ended = 'replaced' WHERE used_at IS NULL AND EXISTS (SELECT 1 FROM invitation AS newer"
        " WHERE newer.member_id = invitation.member_id AND newer.id > invitation.id)"
    )
    op.create_table('digest',
    sa.Column('id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest'))
    )
    op.create_table('daily_digest',
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_daily_digest_member_id_member')),
    sa.PrimaryKeyConstraint('member_id', name=op.f('pk_daily_digest'))
    )
    op.create_table('digest_recipient',
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('digest_id', storage.tables.columns.BigInt, nullable=False),
    sa.ForeignKeyConstraint(['digest_id'], ['digest.id'], name=op.f('fk_digest_recipient_digest_id_digest')),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_digest_recipient_member_id_member')),
    sa.PrimaryKeyConstraint('member_id', 'day', name='pk_digest_recipient')
    )
    op.create_index('ix_digest_recipient_digest_id', 'digest_recipient', ['digest_id'], unique=False)
    op.create_table('digest_item',
    sa.Column('delivery_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('member_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('due_at', storage.tables.columns.UtcDateTime(), nullable=False),
    sa.Column('digest_id', storage.tables.columns.BigInt, nullable=True),
    sa.ForeignKeyConstraint(['delivery_id'], ['delivery.id'], name=op.f('fk_digest_item_delivery_id_delivery')),
    sa.ForeignKeyConstraint(['digest_id'], ['digest.id'], name=op.f('fk_digest_item_digest_id_digest')),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_digest_item_member_id_member')),
    sa.PrimaryKeyConstraint('delivery_id', name=op.f('pk_digest_item'))
    )
    op.create_index('ix_digest_item_due_at', 'digest_item', ['due_at'], unique=False, sqlite_where=sa.text('digest_id IS NULL'), postgresql_where=sa.text('digest_id IS NULL'))
    op.create_index('ix_digest_item_member_id', 'digest_item', ['member_id', 'digest_id'], unique=False)


def downgrade() -> None:
    op.drop_table('digest_item')
    op.drop_table('digest_recipient')
    op.drop_table('daily_digest')
    op.drop_table('digest')
    with op.batch_alter_table('invitation', schema=None) as batch_op:
        batch_op.drop_index('ix_invitation_created_by')
        batch_op.drop_column('told_at')
        batch_op.drop_column('ended')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notice_copy_of'))
        batch_op.drop_column('copy_of')
        batch_op.drop_column('nudge_after')
    op.drop_table('nudge')
