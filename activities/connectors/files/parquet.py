"""Reads Parquet files; nested columns by path."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activities.connectors import duckdb_engine as engine
from activities.connectors.protocol import Asset, Batch, Column, Position, Sample


def describe(path: Path) -> tuple[tuple[Column, ...], dict[str, Any]]:
    """Return a file's columns and its number of rows, both from its footer."""
    with engine.over_folder(path.parent) as connection, engine.faults(path.name):
        file = engine.text(str(path))
        columns, _ = engine.paths(connection.sql(f"SELECT * FROM read_parquet({file})"))
        row = connection.execute(f"SELECT sum(num_rows) FROM parquet_file_metadata({file})")
        found = row.fetchone()
    return columns, {"rows": int(found[0] or 0) if found else 0}


def read(path: Path, asset: Asset, sample: Sample, after: Position | None) -> Iterator[Batch]:
    """Yield the rows of a Parquet file; positions are row numbers."""
    file = engine.text(str(path))
    with engine.over_folder(path.parent) as connection:
        with engine.faults(path.name):
            relation = connection.sql(f"SELECT * FROM read_parquet({file})")
            columns, expressions = engine.paths(relation)
        where = [] if after is None or sample.rows else [f"file_row_number > {int(after)}"]
        if sample.rows and (step := asset.details["rows"] // sample.rows) > 1:
            where.append(f"hash(file_row_number + {sample.seed}) % {step} = 0")
        sql = (
            f"SELECT file_row_number, {', '.join(expressions)}"
            f" FROM read_parquet({file}, file_row_number = true)"
        )
        if where:
            sql += f" WHERE {' AND '.join(where)}"
        if sample.rows:
            sql += f" LIMIT {sample.rows}"
        for rows in engine.stream(connection, sql, len(columns), path.name):
            yield engine.positioned(rows, len(columns))
