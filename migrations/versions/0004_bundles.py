"""Bundles: the code of jobs, which versions name.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bundles",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.String(40), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_bundles_workspace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
        sa.UniqueConstraint("workspace_id", "digest", name=op.f("uq_bundles_workspace_id_digest")),
    )
    op.create_index(op.f("ix_bundles_used_at"), "bundles", ["used_at"])
    op.add_column("job_versions", sa.Column("bundle", sa.String(64), nullable=True))
    op.create_index(op.f("ix_job_versions_bundle"), "job_versions", ["bundle"])


def downgrade() -> None:
    op.drop_index(op.f("ix_job_versions_bundle"), table_name="job_versions")
    op.drop_column("job_versions", "bundle")
    op.drop_table("bundles")
