"""A notice names its file by digest; what a server calls that file stands in media_file alone

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

import storage.tables.columns

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table('notice_media')
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.add_column(sa.Column('media_digest', sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.drop_column('media_digest')
    op.create_table('notice_media',
    sa.Column('notice_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('file_id', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_notice_media_account_id_account')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_notice_media_notice_id_notice')),
    sa.PrimaryKeyConstraint('notice_id', 'account_id', name='pk_notice_media')
    )
