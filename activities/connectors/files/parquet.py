"""Reads Parquet files; nested columns by path."""

from collections.abc import Iterator
from typing import Any

from activities.connectors import duckdb_engine as engine
from activities.connectors.files.store import File
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample


def describe(file: File) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return a file's columns and its number of rows, both from its footer."""
    with file.engine() as (connection, path), engine.faults(file.name):
        columns = engine.paths(connection.sql(f"SELECT * FROM {_source(path)}")).columns
        row = connection.execute(
            f"SELECT sum(num_rows) FROM parquet_file_metadata({engine.text(path)})"
        )
        found = row.fetchone()
    return columns, {"rows": int(found[0] or 0) if found else 0}


def signature(file: File) -> str:
    """Return what files of one schema share: the names and types of the footer."""
    with file.engine() as (connection, path), engine.faults(file.name):
        relation = connection.sql(f"SELECT * FROM {_source(path)}")
        return repr([*zip(relation.columns, map(str, relation.types), strict=True)])


def count(file: File, asset: Asset) -> int | None:
    return int(asset.details["rows"])


def read(file: File, asset: Asset, sample: Sample, after: Position | None) -> Iterator[Batch]:
    """Yield the rows of a Parquet file; positions are row numbers."""
    with file.engine() as (connection, path):
        total = asset.details["rows"]
        yield from engine.read_numbered(
            connection, "file_row_number", _source(path), total, sample, after, file.name
        )


def _source(path: str) -> str:
    # What the folders say is no column of the file: sets add it themselves.
    return f"read_parquet({engine.text(path)}, hive_partitioning = false)"
