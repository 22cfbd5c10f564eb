"""DuckDB as a sandboxed reader: no network, no file but those allowed, bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from fsspec import AbstractFileSystem

from activities.connectors.protocol import LONGEST_VALUE, Batch, Column, Position, Sample
from activities.connectors.rows import batch_rows, blocks, columnar, in_batches, reservoir
from racine.errors import SourceFault

_MEMORY = "256MB"
_SMALL = 100_000
"""Rows up to which each has its own chance to be in a sample."""

_LIMITS: dict[str, Any] = {"threads": 1, "memory_limit": _MEMORY, "temp_directory": ""}


def over_folder(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that may read files of one folder and nothing else."""
    return _allowed(duckdb.connect(":memory:", config=_LIMITS), f"{folder}/")


def over_store(files: AbstractFileSystem, prefix: str) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that may read a file system of ours and nothing else."""
    connection = duckdb.connect(":memory:", config=_LIMITS)
    connection.register_filesystem(files)
    return _allowed(connection, prefix)


def over_database(path: Path, *, write: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB file, opened to be read unless told; its views may reach no other file."""
    with faults(path):
        return _locked(duckdb.connect(str(path), read_only=not write, config=_LIMITS))


def _allowed(connection: duckdb.DuckDBPyConnection, prefix: str) -> duckdb.DuckDBPyConnection:
    connection.execute(f"SET allowed_directories = [{text(prefix)}]")
    return _locked(connection)


def _locked(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def faults(what: object) -> Iterator[None]:
    """Map DuckDB's errors: their first line says what, the others repeat the statement."""
    try:
        yield
    except duckdb.Error as fault:
        raise SourceFault(
            f"DuckDB could not read {what}: {str(fault).splitlines()[0]}",
            next_step="Check that the file is whole, was not written while it was read, and is"
            " of the kind that its name says.",
        ) from None


def text(value: str) -> str:
    """Return a value as an SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def paths(relation: duckdb.DuckDBPyRelation) -> tuple[tuple[Column, ...], list[str]]:
    """Return a relation's columns, nested ones by path, and the SQL that gives each as text."""
    columns: list[Column] = []
    expressions: list[str] = []

    def walk(name: str, expression: str, type_: Any) -> None:
        if type_.id == "struct":
            for field, inner in type_.children:
                walk(f"{name}.{field}", f"{expression}.{identifier(field)}", inner)
            return
        columns.append(Column(name, str(type_)))
        given = f"left(CAST({expression} AS VARCHAR), {LONGEST_VALUE})"
        expressions.append("NULL::VARCHAR" if type_.id == "blob" else given)

    for name, type_ in zip(relation.columns, relation.types, strict=True):
        walk(name, identifier(name), type_)
    return tuple(columns), expressions


def stream(
    connection: duckdb.DuckDBPyConnection, sql: str, width: int, what: object
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield a query's rows in lists of bounded size."""
    with faults(what):
        cursor = connection.execute(sql)
    while True:
        with faults(what):
            rows = cursor.fetchmany(batch_rows(width))
        if not rows:
            return
        yield rows


def read_numbered(
    connection: duckdb.DuckDBPyConnection,
    key: str,
    source: str,
    total: int,
    sample: Sample,
    after: Position | None,
    what: object,
) -> Iterator[Batch]:
    """Yield the rows of something whose `key` numbers them, which are positions too.

    A sample of a large one is taken in blocks, of a small one row by row.
    """
    with faults(what):
        relation = connection.sql(f"SELECT * FROM {source}")
        columns, expressions = paths(relation)
    width = len(columns)
    select = f"{', '.join(expressions)} FROM {source}"
    if key in map(str.lower, relation.columns):  # a column of that name hides the numbers
        yield from _unnumbered(connection, f"SELECT {select}", width, sample, what)
        return
    for tail in _tails(key, total, sample, after):
        for rows in stream(connection, f"SELECT {key}, {select} {tail}", width, what):
            yield columnar([row[1:] for row in rows], width, rows[-1][0])


def read_unnumbered(
    connection: duckdb.DuckDBPyConnection, source: str, sample: Sample, what: object
) -> Iterator[Batch]:
    """Yield the rows of something that has no numbers to go by, such as a view."""
    with faults(what):
        columns, expressions = paths(connection.sql(f"SELECT * FROM {source}"))
    select = f"SELECT {', '.join(expressions)} FROM {source}"
    yield from _unnumbered(connection, select, len(columns), sample, what)


def _unnumbered(
    connection: duckdb.DuckDBPyConnection, select: str, width: int, sample: Sample, what: object
) -> Iterator[Batch]:
    found = stream(connection, select, width, what)
    if sample.rows is not None:
        yield from in_batches(reservoir(found, sample.rows, sample.seed), width)
        return
    for rows in found:
        yield columnar(rows, width)


def _tails(key: str, total: int, sample: Sample, after: Position | None) -> Iterator[str]:
    if sample.rows is None:
        where = "" if after is None else f"WHERE {key} > {int(after)} "
        yield f"{where}ORDER BY {key}"
    elif total <= max(_SMALL, sample.rows):
        yield f"ORDER BY hash({key} + {sample.seed}) LIMIT {sample.rows}"
    else:
        for place, end, share in blocks(0, total, sample.rows, sample.seed):
            yield f"WHERE {key} >= {place} AND {key} < {min(end, place + share)}"
