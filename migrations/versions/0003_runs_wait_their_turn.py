"""Runs wait their turn."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Never a new table on SQLite: dropping the old one would take the runs' events along.
    op.add_column(
        "runs", sa.Column("limited", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("runs", sa.Column("concurrency_key", sa.String(length=200), nullable=True))
    op.add_column("runs", sa.Column("priority", sa.Integer(), nullable=False, server_default="3"))
    op.add_column("runs", sa.Column("queue_deadline", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_runs_job_id_state", "runs", ["job_id", "state"])


def downgrade() -> None:
    op.drop_index("ix_runs_job_id_state", "runs")
    for column in ("queue_deadline", "priority", "concurrency_key", "limited"):
        op.drop_column("runs", column)
