"""Opens a session on a registered source."""

from activities.connectors.boundary import Boundary
from activities.statements.protocol import Session
from racine.errors import InvalidInput
from racine.governance.data_sources.locations import Location


def begin(location: Location, boundary: Boundary, *, write: bool, seconds: float) -> Session:
    """Return a session that only reads unless it shall write; each statement ends in `seconds`.

    Raises InvalidInput for a kind of source that runs no statements.
    """
    # Imported where needed: a worker that never meets a kind need not hold its driver.
    if location.kind == "sqlite":
        from activities.statements.sqlite import SqliteSession

        return SqliteSession(boundary.file(location.path), write=write)
    if location.kind == "duckdb":
        from activities.statements.duckdb import DuckdbSession

        return DuckdbSession(boundary.file(location.path), write=write)
    if location.kind == "postgresql":
        from activities.statements.postgresql import PostgresqlSession

        return PostgresqlSession(location, boundary, write=write, seconds=seconds)
    if location.kind == "mysql":
        from activities.statements.mysql import MysqlSession

        return MysqlSession(location, boundary, write=write, seconds=seconds)
    raise InvalidInput(
        f"A source of kind {location.kind} runs no SQL statements.",
        next_step="Use a source of kind sqlite, duckdb, postgresql or mysql.",
    )
