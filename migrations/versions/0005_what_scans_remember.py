"""What scans remember: progress within an asset, each asset's last state, and drift."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("scans", sa.Column("control", _JSON, nullable=False, server_default="{}"))
    op.add_column("scans", sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("scan_assets", sa.Column("plan", _JSON, nullable=False, server_default="{}"))
    op.add_column(
        "scan_assets",
        sa.Column("unchanged", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    _progress()
    _states()
    _drift()


def _progress() -> None:
    op.create_table(
        "scan_progress",
        sa.Column("asset_id", sa.String(length=40), nullable=False),
        sa.Column("position", _JSON, nullable=False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("sketches", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["scan_assets.id"], name="fk_scan_progress_asset_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", name="pk_scan_progress"),
    )


def _states() -> None:
    op.create_table(
        "asset_states",
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=1000), nullable=False),
        sa.Column("asset_id", sa.String(length=40), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fingerprint", sa.String(length=200), nullable=False),
        sa.Column("shape", sa.String(length=64), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("sensitivity", sa.String(length=20), nullable=False),
        sa.Column("watermark", _JSON, nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("sketches", _JSON, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_asset_states_source_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_asset_states"),
        sa.UniqueConstraint("source_id", "name", name="uq_asset_states_source_id_name"),
    )


def _drift() -> None:
    op.create_table(
        "drift_events",
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("scan_id", sa.String(length=40), nullable=False),
        sa.Column("previous_scan_id", sa.String(length=40), nullable=False),
        sa.Column("aspect", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("asset", sa.String(length=1000), nullable=False),
        sa.Column("column", sa.String(length=1000), nullable=False),
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("before", sa.String(length=500), nullable=True),
        sa.Column("after", sa.String(length=500), nullable=True),
        sa.Column("magnitude", sa.Double(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name="fk_drift_events_scan_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_drift_events_source_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name="fk_drift_events_workspace_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_drift_events"),
    )
    op.create_index("ix_drift_events_scan_id", "drift_events", ["scan_id"])
    op.create_index(
        "ix_drift_events_source_id_created_at", "drift_events", ["source_id", "created_at"]
    )


def downgrade() -> None:
    op.drop_table("drift_events")
    op.drop_table("asset_states")
    op.drop_table("scan_progress")
    for column in ("unchanged", "plan"):
        op.drop_column("scan_assets", column)
    for column in ("beat_at", "control"):
        op.drop_column("scans", column)
