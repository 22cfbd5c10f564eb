"""Opens the connector that serves a location."""

from pathlib import Path

from activities.connectors.boundary import Boundary
from activities.connectors.protocol import Connector
from racine.errors import SourceFault
from racine.governance.data_sources.locations import Location


def connect(location: Location, boundary: Boundary) -> Connector:
    """Return a connector; it reaches the source only when it is asked something.

    Raises SourceFault for a file outside the boundary.
    """
    # Imported where needed: the one-shot scan of a CSV file must not load database drivers.
    if location.kind == "sqlite":
        from activities.connectors.sqlite import SqliteConnector

        return SqliteConnector(boundary.file(location.path))
    if location.kind == "duckdb":
        from activities.connectors.duckdb_file import DuckdbConnector

        return DuckdbConnector(boundary.file(location.path))
    if location.kind == "files":
        from activities.connectors.files.connector import FilesConnector
        from activities.connectors.files.local import LocalStore

        return FilesConnector(LocalStore(boundary.file(location.path)))
    if location.kind == "postgresql":
        from activities.connectors.postgresql import PostgresqlConnector

        return PostgresqlConnector(location, boundary)
    if location.kind == "mysql":
        from activities.connectors.mysql import MysqlConnector

        return MysqlConnector(location, boundary)
    if location.kind == "s3":
        from activities.connectors.files.bucket import BucketStore
        from activities.connectors.files.connector import FilesConnector

        return FilesConnector(BucketStore(location, boundary))
    raise SourceFault(f"No connector serves {location.kind}.")


_MAGIC = ((0, b"SQLite format 3\0", "sqlite"), (8, b"DUCK", "duckdb"))


def kind_of_file(path: Path) -> str:
    """Return the kind of a local file or folder by its first bytes; `files` for data files."""
    if not path.is_file():
        return "files"
    with path.open("rb") as stream:
        head = stream.read(16)
    return next((kind for at, magic, kind in _MAGIC if head[at:].startswith(magic)), "files")
