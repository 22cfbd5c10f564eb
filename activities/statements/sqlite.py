"""Runs statements on a SQLite file."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from activities.statements.protocol import BATCH, Answer, Row
from racine.errors import SourceFault
from racine.statements import Statement

_BUSY_SECONDS = 10


class SqliteSession:
    """One transaction on one file; it can attach no other."""

    def __init__(self, path: str, *, write: bool) -> None:
        file = Path(path)
        if not file.is_file():
            raise SourceFault(f"There is no file {path}.", next_step="Check the source's location.")
        self._path = path
        uri = f"{file.absolute().as_uri()}?mode={'rw' if write else 'ro'}"
        try:
            self._connection = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            self._connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            self._connection.execute("PRAGMA foreign_keys=ON")
            self._connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        except sqlite3.Error as fault:
            raise self._fault(fault) from None

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Answer:
        before = self._connection.total_changes
        try:
            cursor = self._connection.execute(statement.text, dict(values))
        except (sqlite3.Error, OverflowError) as fault:
            raise self._fault(fault) from None
        if cursor.description is None:
            return Answer(affected=self._connection.total_changes - before)
        return Answer(tuple(column[0] for column in cursor.description), self._rows(cursor))

    def commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as fault:
            raise self._fault(fault) from None

    def cancel(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        self._connection.close()

    def _rows(self, cursor: sqlite3.Cursor) -> Iterator[Sequence[Row]]:
        try:
            while rows := cursor.fetchmany(BATCH):
                yield rows
        except sqlite3.Error as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: Exception) -> SourceFault:
        return SourceFault(f"SQLite refused the statement on {self._path}: {fault}.")
