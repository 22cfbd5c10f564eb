"""Reads a DuckDB database file, never writing to it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from activities.connectors import checks
from activities.connectors import duckdb_engine as engine
from activities.connectors.protocol import Asset, Batch, Bound, Column, Listing, Position, Sample
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
        for schema, table, name, type_, size, key in self._ask(_COLUMNS):
            found.setdefault((schema, table), []).append(Column(name, type_, key))
            sizes[schema, table] = size
        mark = checks.fingerprint(self._path, Path(f"{self._path}.wal"))
        return Listing(
            tuple(
                self._by_path(_asset(*key, tuple(columns), sizes[key], mark))
                for key, columns in found.items()
            )
        )

    def _by_path(self, asset: Asset) -> Asset:
        """Return an asset whose nested columns are told by path, as they are read."""
        if not any(c.type.startswith("STRUCT") or c.type.endswith("]") for c in asset.columns):
            return asset
        with engine.faults(asset.name):
            relation = self._connection().sql(f"SELECT * FROM {_table(asset)}")
            return replace(asset, columns=engine.paths(relation).columns)

    def count(self, asset: Asset) -> int | None:
        ((rows,),) = self._ask(f"SELECT count(*) FROM {_table(asset)}")
        return int(rows)

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        if asset.kind == "view":
            source = _table(asset)
            yield from engine.read_unnumbered(self._connection(), source, sample, self._path)
            return
        total = (self.count(asset) or 0) if sample.rows else 0
        yield from engine.read_numbered(
            self._connection(), "rowid", _table(asset), total, sample, after, self._path
        )

    def newest(self, asset: Asset, column: str) -> str | None:
        name = engine.identifier(column)
        ((value,),) = self._ask(f"SELECT max({name})::VARCHAR FROM {_table(asset)}")
        return None if value is None else str(value)

    def read_since(self, asset: Asset, bound: Bound, sample: Sample) -> Iterator[Batch]:
        where = f"{engine.identifier(bound.column)} > {engine.text(bound.value)}"
        source = f"(SELECT * FROM {_table(asset)} WHERE {where})"
        yield from engine.read_unnumbered(self._connection(), source, sample, self._path)

    def cancel(self) -> None:
        if self._opened is not None:
            self._opened.interrupt()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _find(self) -> str:
        return checks.found_file(self._path)

    def _open(self) -> str:
        self._connection()
        return "opened read-only"

    def _list(self) -> str:
        return f"{len(self.discover().assets)} tables and views"

    def _read(self) -> str:
        return checks.first_row(
            self.discover().assets,
            lambda table: self._ask(f"SELECT 1 FROM {_table(table)} LIMIT 1"),
        )

    def _ask(self, sql: str) -> list[Any]:
        with engine.faults(self._path):
            return self._connection().execute(sql).fetchall()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._find()
            self._opened = engine.over_database(self._path)
        return self._opened


def _table(asset: Asset) -> str:
    return ".".join(engine.identifier(part) for part in asset.details["path"])


def _asset(
    schema: str, table: str, columns: tuple[Column, ...], size: int | None, mark: str
) -> Asset:
    name = table if schema == "main" else qualified(schema, table)
    kind = "view" if size is None else "table"
    return Asset(name, kind, columns, {"path": [schema, table]}, size, "" if size is None else mark)
