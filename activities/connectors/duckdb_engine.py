"""DuckDB as a sandboxed reader: no network, no file but those allowed, bounded memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from activities.connectors.protocol import Batch, Column, Position
from activities.connectors.rows import batch_rows, columnar
from racine.errors import SourceFault

_MEMORY = "256MB"
_LIMITS: dict[str, Any] = {"threads": 1, "memory_limit": _MEMORY, "temp_directory": ""}


def over_folder(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that may read files of one folder and nothing else."""
    connection = duckdb.connect(":memory:", config=_LIMITS)
    connection.execute(f"SET allowed_directories = [{text(f'{folder}/')}]")
    return _locked(connection)


def over_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB file, opened to be read; its views may reach no other file."""
    with faults(path):
        return _locked(duckdb.connect(str(path), read_only=True, config=_LIMITS))


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
        binary = type_.id == "blob"
        expressions.append("NULL::VARCHAR" if binary else f"CAST({expression} AS VARCHAR)")

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


def positioned(rows: Sequence[tuple[Any, ...]], width: int) -> Batch:
    """Return rows, whose first value is their number, as a batch that ends at the last one."""
    position: Position = rows[-1][0]
    return columnar([row[1:] for row in rows], width, position)
