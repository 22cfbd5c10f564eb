"""Runs started by the tasks of other runs.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KEY = ["parent_run_id", "parent_task_key", "parent_try"]
_INDEX = "ix_runs_parent_run_id_parent_task_key_parent_try"


def upgrade() -> None:
    op.add_column("runs", sa.Column("parent_run_id", sa.String(length=40), nullable=True))
    op.add_column("runs", sa.Column("parent_task_key", sa.String(length=500), nullable=True))
    op.add_column("runs", sa.Column("parent_try", sa.Integer(), nullable=True))
    op.create_index(_INDEX, "runs", _KEY, unique=True)


def downgrade() -> None:
    op.drop_index(_INDEX, "runs")
    for column in reversed(_KEY):
        op.drop_column("runs", column)
