"""Reads a SQLite file, never writing to it."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from racine.errors import SourceFault


class SqliteConnector:
    def __init__(self, location: str) -> None:
        path = Path(location.removeprefix("sqlite:///"))
        if not path.is_file():
            raise SourceFault(f"There is no file {path}.", next_step="Check the source's location.")
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)

    def discover(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Yield each table's name with its columns and declared types."""
        tables = self._db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        for (table,) in tables:
            columns = self._db.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
            yield table, list(columns.fetchall())

    def sample(self, table: str, limit: int) -> tuple[int, dict[str, Counter[str]]]:
        """Return the number of rows read and each column's distinct values with their counts."""
        quoted = '"' + table.replace('"', '""') + '"'
        cursor = self._db.execute(f"SELECT * FROM {quoted} ORDER BY random() LIMIT ?", (limit,))
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        counts = (Counter(str(v) for v in column if v is not None) for column in columns)
        return len(rows), dict(zip(names, counts, strict=True))

    def close(self) -> None:
        self._db.close()
