"""Workspaces have shares of the workers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "workspaces", sa.Column("fairness_weight", sa.Double(), nullable=False, server_default="1")
    )


def downgrade() -> None:
    op.drop_column("workspaces", "fairness_weight")
