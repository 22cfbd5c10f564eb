"""Runs are repaired."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("runs", sa.Column("repair", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("repaired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("repairs", _JSON, nullable=False, server_default="[]"))
    op.create_table(
        "run_results",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("repair", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=500), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_run_results_run_id_runs", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "repair", "part", name="pk_run_results"),
    )


def downgrade() -> None:
    op.drop_table("run_results")
    for column in ("repairs", "repaired_at", "repair"):
        op.drop_column("runs", column)
