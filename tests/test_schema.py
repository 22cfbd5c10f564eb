"""Migrations, up and down on both engines."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from models.schema import current, downgrade, head, upgrade
from models.session import Database
from models.tables import Table

SEARCH = "asset_search"
"""The full-text index and the tables that SQLite keeps for it: no table of the models."""


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith(SEARCH))


def test_migrations_go_up_and_down(db_url: str) -> None:
    database = Database(db_url)
    upgrade(database)
    assert current(database) == head()
    downgrade(database, "base")
    assert set(inspect(database.engine).get_table_names()) <= {"alembic_version"}
    upgrade(database)
    database.close()


def test_the_migrated_schema_is_that_of_the_tables(db: Database) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": _is_ours}
        )
        assert compare_metadata(context, Table.metadata) == []
