"""Reads Parquet files; nested columns by path."""

from collections.abc import Iterator
from typing import Any

from activities.connectors import duckdb_engine as engine
from activities.connectors.files.store import File
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample

TOLD_BY_SIGNATURE = False

_PIECE, _MEAN = 256 << 20, 1024
"""Bytes of a column in one row group, and of a value there on average, that are not read.

A page is loaded whole, and nothing tells its size: so many bytes in so few values may be one page.
"""

_HEAVY = f"""
SELECT DISTINCT path_in_schema FROM parquet_metadata({{}})
WHERE total_uncompressed_size > {_PIECE} AND total_uncompressed_size > {_MEAN} * num_values
"""


def describe(file: File) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return a file's columns and its number of rows, both from its footer."""
    with file.engine() as (connection, path), engine.faults(file.name):
        columns = engine.paths(connection.sql(f"SELECT * FROM {_source(path)}")).columns
        name = engine.text(path)
        ((rows,),) = connection.execute(
            f"SELECT coalesce(sum(num_rows), 0) FROM parquet_file_metadata({name})"
        ).fetchall()
        heavy = connection.execute(_HEAVY.format(name)).fetchall()
    # The path of a nested column begins with the column.
    unread = sorted({path.split(", ")[0] for (path,) in heavy})
    return columns, {"rows": int(rows), **({"unread": unread} if unread else {})}


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
        total, unread = asset.details["rows"], asset.details.get("unread", ())
        for column in unread:
            told = {f"column {column} has values of many megabytes, left out": 1}
            yield Batch([()] * len(asset.columns), 0, irregular=told)
        yield from engine.read_numbered(
            connection, "file_row_number", _source(path), total, sample, after, file.name, unread
        )


def _source(path: str) -> str:
    # What the folders say is no column of the file: sets add it themselves.
    return f"read_parquet({engine.text(path)}, hive_partitioning = false)"
