"""Alembic's entry: runs the migrations on the connection it is given, or on RACINE_DATABASE_URL."""

import os
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, Connection

from models.session import Database
from models.tables import Table
from models.tables.base import Instant


def render(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write Racine's own column types as SQLAlchemy's, so that a migration outlives the tables."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, JSON):
        context.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    with Database(os.environ["RACINE_DATABASE_URL"]).engine.begin() as opened:
        migrate(opened)
