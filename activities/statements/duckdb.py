"""Runs statements on a DuckDB file."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from activities.connectors import duckdb_engine as engine
from activities.statements.protocol import BATCH, Answer, Row
from racine.errors import SourceFault
from racine.statements import Statement

_TELLING = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException,
            duckdb.SyntaxException, duckdb.ConstraintException)  # fmt: skip
"""Errors whose text names things of the statement and the schema; others may repeat values."""


class DuckdbSession:
    """One transaction on one file; it can read no other."""

    def __init__(self, path: str, *, write: bool) -> None:
        if not Path(path).is_file():
            raise SourceFault(f"There is no file {path}.", next_step="Check the source's location.")
        self._path = path
        self._connection = engine.over_database(Path(path), write=write)
        self._connection.execute("BEGIN")

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Answer:
        text = statement.marked(lambda name: f"${name}")
        try:
            (prepared,) = self._connection.extract_statements(text)
            found = self._connection.execute(prepared, dict(values))
            columns = tuple(column[0] for column in found.description or ())
            if prepared.type != duckdb.StatementType.SELECT and columns == ("Count",):
                return Answer(affected=found.fetchall()[0][0])
        except duckdb.Error as fault:
            raise self._fault(fault) from None
        if columns in ((), ("Success",)):
            return Answer()
        return Answer(columns, self._rows())

    def commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except duckdb.Error as fault:
            raise self._fault(fault) from None

    def cancel(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()

    def _rows(self) -> Iterator[Sequence[Row]]:
        try:
            while rows := self._connection.fetchmany(BATCH):
                yield rows
        except duckdb.Error as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: duckdb.Error) -> SourceFault:
        what = type(fault).__name__
        if isinstance(fault, _TELLING):
            what = str(fault).splitlines()[0]
        return SourceFault(f"DuckDB refused the statement on {self._path}: {what}.")
