"""DuckDB as a sandboxed reader: no network, no file but those allowed, bounded memory."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
from fsspec import AbstractFileSystem

from activities.connectors.protocol import LONGEST_VALUE, Batch, Column, Position, Sample
from activities.connectors.rows import batch_rows, blocks, columnar, reservoir
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
    try:
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    except duckdb.InvalidInputException:
        # Connections of one process to one file share a database, which the first has locked.
        reach = connection.execute("SELECT current_setting('enable_external_access')").fetchone()
        if reach != (False,):
            raise
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


@dataclass(frozen=True)
class Paths:
    """A relation's columns, nested ones by path, and the SQL that gives each as text."""

    columns: tuple[Column, ...]
    expressions: tuple[str, ...]
    listed: frozenset[int]
    """Places of the columns that are of lists: they give a list of texts a row."""

    @property
    def width(self) -> int:
        return len(self.columns)

    def batch(self, rows: Sequence[Sequence[Any]], position: Position | None = None) -> Batch:
        """Return rows as a batch; a list gives each of its values, as it does in JSON."""
        batch = columnar([_without(row, self.listed) for row in rows], self.width, position)
        if not self.listed:
            return batch
        columns = list(batch.columns)
        for place in self.listed:
            columns[place] = [value for row in rows for value in row[place] or (None,)]
        return replace(batch, columns=columns)


def paths(relation: duckdb.DuckDBPyRelation, unread: Collection[str] = ()) -> Paths:
    """Return a relation's columns by path; those in `unread` give nulls."""
    columns: list[Column] = []
    expressions: list[str] = []
    listed: set[int] = set()
    for name, type_ in zip(relation.columns, relation.types, strict=True):
        for path, leaf, give, is_list in _leaves(type_, 0):
            if is_list:
                listed.add(len(columns))
            columns.append(Column(f"{name}{path}", leaf))
            expressions.append("NULL" if name in unread else give(identifier(name)))
    return Paths(tuple(columns), tuple(expressions), frozenset(listed))


def _leaves(type_: Any, depth: int) -> Iterator[tuple[str, str, Callable[[str], str], bool]]:
    """Yield the path, type and SQL of each value in a nested type, and whether it is a list's."""
    if type_.id == "struct":
        for field, inner in type_.children:
            for path, leaf, give, is_list in _leaves(inner, depth):
                yield f".{field}{path}", leaf, _of_field(give, field), is_list
    elif type_.id == "list":
        for path, leaf, give, is_list in _leaves(type_.children[0][1], depth + 1):
            yield f"[]{path}", leaf, _of_each(give, f"each{depth}", is_list), True
    elif type_.id == "blob":
        yield "", str(type_), lambda expression: "NULL::VARCHAR", False
    else:
        yield "", str(type_), lambda e: f"left(CAST({e} AS VARCHAR), {LONGEST_VALUE})", False


def _of_field(give: Callable[[str], str], field: str) -> Callable[[str], str]:
    return lambda expression: give(f"({expression}).{identifier(field)}")


def _of_each(give: Callable[[str], str], each: str, nested: bool) -> Callable[[str], str]:
    def listed(expression: str) -> str:
        mapped = f"list_transform({expression}, lambda {each}: {give(each)})"
        return f"flatten({mapped})" if nested else mapped

    return listed


def _without(row: Sequence[Any], places: frozenset[int]) -> Sequence[Any]:
    return [None if n in places else v for n, v in enumerate(row)] if places else row


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
    unread: Collection[str] = (),
) -> Iterator[Batch]:
    """Yield the rows of something whose `key` numbers them, which are positions too.

    A sample of a large one is taken in blocks, of a small one row by row.
    """
    with faults(what):
        relation = connection.sql(f"SELECT * FROM {source}")
        found = paths(relation, unread)
    select = f"{', '.join(found.expressions)} FROM {source}"
    if key in map(str.lower, relation.columns):  # a column of that name hides the numbers
        yield from _unnumbered(connection, f"SELECT {select}", found, sample, what)
        return
    for tail in _tails(key, total, sample, after):
        for rows in stream(connection, f"SELECT {key}, {select} {tail}", found.width, what):
            yield found.batch([row[1:] for row in rows], rows[-1][0])


def read_unnumbered(
    connection: duckdb.DuckDBPyConnection, source: str, sample: Sample, what: object
) -> Iterator[Batch]:
    """Yield the rows of something that has no numbers to go by, such as a view."""
    with faults(what):
        found = paths(connection.sql(f"SELECT * FROM {source}"))
    select = f"SELECT {', '.join(found.expressions)} FROM {source}"
    yield from _unnumbered(connection, select, found, sample, what)


def _unnumbered(
    connection: duckdb.DuckDBPyConnection, select: str, found: Paths, sample: Sample, what: object
) -> Iterator[Batch]:
    streamed: Iterable[list[Any]] = stream(connection, select, found.width, what)
    if sample.rows is not None:
        kept = reservoir(streamed, sample.rows, sample.seed)
        size = batch_rows(found.width)
        streamed = (kept[start : start + size] for start in range(0, len(kept), size))
    for rows in streamed:
        yield found.batch(rows)


def _tails(key: str, total: int, sample: Sample, after: Position | None) -> Iterator[str]:
    if sample.rows is None:
        where = "" if after is None else f"WHERE {key} > {int(after)} "
        yield f"{where}ORDER BY {key}"
    elif total <= max(_SMALL, sample.rows):
        yield f"ORDER BY hash({key} + {sample.seed}) LIMIT {sample.rows}"
    else:
        for place, end, share in blocks(0, total, sample.rows, sample.seed):
            yield f"WHERE {key} >= {place} AND {key} < {min(end, place + share)}"
