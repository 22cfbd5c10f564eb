"""Reads a DuckDB database file, never writing to it."""

from collections.abc import Iterator
from pathlib import Path

import duckdb

from activities.connectors import checks
from activities.connectors import duckdb_engine as engine
from activities.connectors.protocol import Asset, Batch, Column, Listing, Position, Sample
from racine.errors import SourceFault
from racine.governance.data_sources import CheckStep
from racine.governance.scan_rule_sets.patterns import qualified

_COLUMNS = """
SELECT c.schema_name, c.table_name, c.column_name, c.data_type, t.estimated_size,
       coalesce(list_contains(k.constraint_column_names, c.column_name), false)
FROM duckdb_columns() AS c
LEFT JOIN duckdb_tables() AS t USING (database_oid, schema_oid, table_name)
LEFT JOIN duckdb_constraints() AS k
  ON k.database_oid = c.database_oid AND k.schema_oid = c.schema_oid
 AND k.table_name = c.table_name AND k.constraint_type = 'PRIMARY KEY'
WHERE NOT c.internal AND c.database_name = current_database()
ORDER BY c.schema_name, c.table_name, c.column_index
"""


class DuckdbConnector:
    """One read-only connection to a DuckDB file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._opened: duckdb.DuckDBPyConnection | None = None

    def check(self) -> Iterator[CheckStep]:
        return checks.run(
            ("find", self._find), ("open", self._open), ("list", self._list), ("read", self._read)
        )

    def discover(self) -> Listing:
        found: dict[tuple[str, str], list[Column]] = {}
        sizes: dict[tuple[str, str], int | None] = {}
        with engine.faults(self._path):
            rows = self._connection().execute(_COLUMNS).fetchall()
        for schema, table, name, type_, size, key in rows:
            found.setdefault((schema, table), []).append(Column(name, type_, key))
            sizes[schema, table] = size
        return Listing(
            tuple(_asset(*key, tuple(columns), sizes[key]) for key, columns in found.items())
        )

    def count(self, asset: Asset) -> int | None:
        with engine.faults(self._path):
            row = self._connection().execute(f"SELECT count(*) FROM {_table(asset)}").fetchone()
        return int(row[0]) if row else None

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        if asset.kind == "view":
            source = _table(asset)
            yield from engine.read_unnumbered(self._connection(), source, sample, self._path)
            return
        total = (self.count(asset) or 0) if sample.rows else 0
        yield from engine.read_numbered(
            self._connection(), "rowid", _table(asset), total, sample, after, self._path
        )

    def cancel(self) -> None:
        if self._opened is not None:
            self._opened.interrupt()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _find(self) -> str:
        if not self._path.is_file():
            what = "is no file" if self._path.exists() else "does not exist"
            raise SourceFault(f"{self._path} {what}.", next_step="Check the source's location.")
        return f"{self._path.stat().st_size} bytes"

    def _open(self) -> str:
        self._connection()
        return "opened read-only"

    def _list(self) -> str:
        return f"{len(self.discover().assets)} tables and views"

    def _read(self) -> str:
        table = next((a for a in self.discover().assets if a.kind == "table"), None)
        if table is None:
            return "no table to read from"
        with engine.faults(self._path):
            rows = self._connection().execute(f"SELECT 1 FROM {_table(table)} LIMIT 1").fetchall()
        return f"{len(rows)} row of {table.name}"

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._find()
            self._opened = engine.over_database(self._path)
        return self._opened


def _table(asset: Asset) -> str:
    return ".".join(engine.identifier(part) for part in asset.details["path"])


def _asset(schema: str, table: str, columns: tuple[Column, ...], size: int | None) -> Asset:
    name = table if schema == "main" else qualified(schema, table)
    kind = "view" if size is None else "table"
    return Asset(name, kind, columns, {"path": [schema, table]}, size)
