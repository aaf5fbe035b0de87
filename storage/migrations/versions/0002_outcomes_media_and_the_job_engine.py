"""Counts of outcomes, files known to a server, and on PostgreSQL the job engine's own schema

Revision: 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

import storage.tables.columns

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('outcome_count',
    sa.Column('dispatch_id', storage.tables.columns.BigInt, nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['dispatch_id'], ['dispatch.id'], name=op.f('fk_outcome_count_dispatch_id_dispatch')),
    sa.PrimaryKeyConstraint('dispatch_id', 'state', 'reason', name='pk_outcome_count')
    )
    op.create_table('media_file',
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('file_id', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_media_file_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', 'digest', 'kind', name='pk_media_file')
    )
    with op.batch_alter_table('dispatch', schema=None) as batch_op:
        batch_op.add_column(sa.Column('topic_id', storage.tables.columns.BigInt, nullable=True))
    _run(QueryBuilderEnvironment().build_install_query())


def downgrade() -> None:
    _run(QueryBuilderEnvironment().build_uninstall_query())
    with op.batch_alter_table('dispatch', schema=None) as batch_op:
        batch_op.drop_column('topic_id')
    op.drop_table('media_file')
    op.drop_table('outcome_count')


def _run(script: str) -> None:
    """Run many statements at once, which only the raw connection does, inside this transaction."""
    connection = op.get_bind()
    if connection.dialect.name != 'postgresql':
        return
    connection.exec_driver_sql('SELECT 1')  # opens the transaction, which the raw connection would not
    connection.connection.dbapi_connection.run_async(lambda raw: raw.execute(script))
