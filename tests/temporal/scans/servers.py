"""Databases with a table too large, and a view too slow, to be read while somebody waits."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

import psycopg

from tests.mariadb import MariaDb

ROWS = 300_000
CHUNKS = 240_000
"""Rows that are read in more than one chunk."""
TABLES = (("a_small", 100), ("big", ROWS), ("medium", CHUNKS), ("z_last", 100))


class Server(Protocol):
    """A database server, seen with its own eyes."""

    @property
    def kind(self) -> str: ...

    @property
    def location(self) -> str: ...

    def now(self) -> datetime:
        """Return the server's clock."""

    def statements(self) -> list[str]:
        """Return what the server does for Racine at this moment."""

    def sessions(self) -> int:
        """Return how many connections Racine has open."""

    def drop(self) -> None:
        """Break off every connection of Racine."""

    def reader(self) -> str:
        """Return the location for a user who may only read."""

    def let_in(self, allowed: bool) -> None:
        """Let that user log in, or refuse it."""


@dataclass
class Postgresql:
    location: str
    kind: str = "postgresql"

    def now(self) -> datetime:
        return cast(datetime, self._ask("SELECT clock_timestamp()")[0][0])

    def statements(self) -> list[str]:
        return [str(row[0]) for row in self._ask(_RACINE + " AND state <> 'idle'")]

    def sessions(self) -> int:
        return len(self._ask(_RACINE))

    def drop(self) -> None:
        self._ask(_RACINE.replace("query", "pg_terminate_backend(pid)"))

    def reader(self) -> str:
        with psycopg.connect(self.location, autocommit=True) as db:
            db.execute("DROP ROLE IF EXISTS scan_reader")
            db.execute("CREATE ROLE scan_reader LOGIN IN ROLE pg_read_all_data")
        return self.location.replace("racine@", "scan_reader@")

    def let_in(self, allowed: bool) -> None:
        with psycopg.connect(self.location, autocommit=True) as db:
            db.execute("ALTER ROLE scan_reader LOGIN" if allowed else _NO_LOGIN)

    def _ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.location) as db:
            return db.execute(query.encode()).fetchall()


_NO_LOGIN = "ALTER ROLE scan_reader NOLOGIN"
_RACINE = "SELECT query FROM pg_stat_activity WHERE application_name = 'racine'"


@dataclass
class Mariadb:
    server: MariaDb
    database: str
    kind: str = "mysql"

    @property
    def location(self) -> str:
        return self.server.url(self.database)

    def now(self) -> datetime:
        return cast(datetime, self._ask("SELECT now(6)")[0][0])

    def statements(self) -> list[str]:
        return [str(row[0]) for row in self._ask(_THREADS + " AND command <> 'Sleep'")]

    def sessions(self) -> int:
        return len(self._ask(_THREADS))

    def drop(self) -> None:
        for (number,) in self._ask(_THREADS.replace("info", "id", 1)):
            self._ask(f"KILL {number}")

    def reader(self) -> str:
        self._ask("CREATE OR REPLACE USER scan_reader@'127.0.0.1'")
        self._ask("GRANT SELECT, SHOW VIEW ON *.* TO scan_reader@'127.0.0.1'")
        return self.server.url(self.database, "scan_reader")

    def let_in(self, allowed: bool) -> None:
        self._ask(f"ALTER USER scan_reader@'127.0.0.1' ACCOUNT {'UN' if allowed else ''}LOCK")

    def _ask(self, query: str) -> list[tuple[object, ...]]:
        with self.server.connect() as db, db.cursor() as cursor:
            cursor.execute(query.format(self.database))
            return list(cursor.fetchall())


_THREADS = (
    "SELECT info FROM information_schema.processlist WHERE db = '{}' AND id <> connection_id()"
)


def postgresql(url: str) -> Postgresql:
    """Fill a database with `TABLES` and the view `slow`."""
    location = url.replace("+psycopg", "")
    with psycopg.connect(location) as db:
        for name, rows in TABLES:
            db.execute(
                f"CREATE TABLE {name} AS SELECT n AS id, 'person' || n || '@example.org' AS email,"
                f" md5(n::text) AS token, 'note ' || n AS note FROM generate_series(1, {rows}) AS n"
                .encode()
            )  # fmt: skip
        db.execute(
            "CREATE VIEW slow AS SELECT n AS id, pg_sleep(0.05)::text AS nap"
            " FROM generate_series(1, 100000) AS n"
        )
        db.execute("ANALYZE")
    return Postgresql(location)


@contextmanager
def mysql(server: MariaDb) -> Iterator[Mariadb]:
    """Make a database with the same as PostgreSQL's, and drop it."""
    name = f"scan_{uuid.uuid4().hex[:8]}"
    with server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {name}")
        for table, rows in TABLES:
            cursor.execute(
                f"CREATE TABLE {name}.{table} (id INT PRIMARY KEY AUTO_INCREMENT, email TEXT,"
                f" token TEXT, note TEXT) SELECT seq AS id, concat('person', seq, '@example.org')"
                f" AS email, md5(seq) AS token, concat('note ', seq) AS note FROM seq_1_to_{rows}"
            )
        cursor.execute(
            f"CREATE VIEW {name}.slow AS SELECT seq AS id, sleep(0.05) AS nap FROM seq_1_to_100000"
        )
    yield Mariadb(server, name)
    with server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
