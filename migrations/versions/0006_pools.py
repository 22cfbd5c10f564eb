"""Pools and the leases on them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "pools",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.String(400), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=True),
        sa.Column("tokens_per_second", sa.Float(), nullable=True),
        sa.Column("next_token_at", instant, nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pools"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_pools_workspace_id"),
        sa.UniqueConstraint("workspace_id", "name", name="uq_pools_workspace_id_name"),
    )
    op.create_table(
        "pool_leases",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("pool_id", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.Column("job_id", sa.String(40), nullable=False),
        sa.Column("workflow_id", sa.String(300), nullable=False),
        sa.Column("task_key", sa.String(500), nullable=False),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("starts_at", instant, nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pool_leases"),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pools.id"], name="fk_pool_leases_pool_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_pool_leases_run_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint(
            "run_id",
            "task_key",
            "try_number",
            "pool_id",
            name="uq_pool_leases_run_id_task_key_try_number_pool_id",
        ),
    )
    op.create_index(
        "ix_pool_leases_pool_id_state_priority_turn",
        "pool_leases",
        ["pool_id", "state", "priority", "turn"],
    )
    op.create_index("ix_pool_leases_workflow_id", "pool_leases", ["workflow_id"])


def downgrade() -> None:
    op.drop_table("pool_leases")
    op.drop_table("pools")
