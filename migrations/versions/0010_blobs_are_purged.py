"""Blobs know which runs may refer to them."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KNOWN = timedelta(days=30)
"""What was written before has no uses: it is kept so long from now on."""


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.add_column("blobs", sa.Column("written_at", instant, nullable=True))
    blobs = sa.table("blobs", sa.column("written_at", instant))
    op.execute(blobs.update().values(written_at=datetime.now(UTC) + _KNOWN))
    # In place on SQLite too: it rebuilds a table that nothing refers to yet.
    with op.batch_alter_table("blobs") as batch:
        batch.alter_column("written_at", nullable=False, existing_type=instant)
    op.create_table(
        "blob_uses",
        sa.Column("workspace_id", sa.String(40), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("run_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "digest", "run_id", name="pk_blob_uses"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "digest"],
            ["blobs.workspace_id", "blobs.digest"],
            name="fk_blob_uses_blob",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("blob_uses")
    op.drop_column("blobs", "written_at")
