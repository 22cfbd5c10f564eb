"""Workspaces declare classifiers of their own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "classifiers",
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column(
            "entry", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False
        ),
        sa.Column("changed_by", sa.String(40), nullable=False),
        sa.Column("updated_at", instant, nullable=False),
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_classifiers"),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_classifiers_workspace_id"
        ),
        sa.UniqueConstraint("workspace_id", "name", name="uq_classifiers_workspace_id_name"),
    )


def downgrade() -> None:
    op.drop_table("classifiers")
