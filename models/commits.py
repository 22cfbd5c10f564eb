"""Tells whether somebody has written to a SQLite database."""

from models.session import Database


class Commits:
    """Watches for what other connections commit, of this process and of others; `close` it.

    `PRAGMA data_version` reads a number in shared memory: asking takes microseconds, and waits for
    nobody (https://www.sqlite.org/pragma.html#pragma_data_version).
    """

    def __init__(self, db: Database) -> None:
        self._connection = db.engine.raw_connection()
        # For good: it must not take the place of one that serves somebody.
        self._connection.detach()
        self._cursor = self._connection.cursor()
        self._seen = self._version()

    def came(self) -> bool:
        """Tell whether anything was committed since this was asked last."""
        before, self._seen = self._seen, self._version()
        return self._seen != before

    def close(self) -> None:
        self._connection.close()

    def _version(self) -> int:
        self._cursor.execute("PRAGMA data_version")
        found = self._cursor.fetchone()
        assert found is not None
        return int(found[0])
