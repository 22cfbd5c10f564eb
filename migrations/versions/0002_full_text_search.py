"""The full-text index over the catalog: FTS5 on SQLite, tsvector on PostgreSQL.

Written by hand: neither is a table that the models know.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TABLE asset_search ("
            "asset_id VARCHAR(40) PRIMARY KEY REFERENCES assets(id) ON DELETE CASCADE, "
            "document TSVECTOR NOT NULL)"
        )
        op.execute("CREATE INDEX ix_asset_search_document ON asset_search USING gin (document)")
    else:
        op.execute(
            "CREATE VIRTUAL TABLE asset_search USING fts5("
            "asset_id UNINDEXED, name, path, words, tokenize='unicode61', prefix='2 3')"
        )


def downgrade() -> None:
    op.execute("DROP TABLE asset_search")
