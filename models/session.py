"""Database engines and sessions for SQLite and PostgreSQL."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session, sessionmaker

WRITES = {"racine_writes": True}
"""Execution option of a session that will write: on SQLite it takes the write lock at its start."""

_BUSY_MILLISECONDS = 10_000
_STATEMENT_MILLISECONDS = 60_000


class Database:
    """One engine and the two kinds of session on it.

    Read-then-write under SQLite's plain BEGIN fails with "database is locked" whatever the busy
    timeout, so `write()` begins IMMEDIATE.
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine = _engine(url, pool_size)
        self._reader = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = sessionmaker(self.engine.execution_options(**WRITES), expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session that only reads; nothing is committed."""
        with self._reader() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a session that commits when the block ends, rolls back when it raises."""
        with self._writer.begin() as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


def _parsed(text: str | bytes) -> Any:
    # Three times as fast as the standard library, which takes what is stored but no valid Unicode.
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)


def _engine(url: str, pool_size: int) -> Engine:
    if url.startswith("sqlite"):
        return _sqlite(url, pool_size)
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        pool_timeout=10,
        json_deserializer=_parsed,
        connect_args={
            "connect_timeout": 10,
            "options": f"-c statement_timeout={_STATEMENT_MILLISECONDS}",
        },
    )


def _sqlite(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=2, connect_args={"check_same_thread": False},
        json_deserializer=_parsed,
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        # The driver must not open transactions itself: SQLAlchemy's "begin" below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    turn = threading.Lock()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if not connection.get_execution_options().get("racine_writes", False):
            connection.exec_driver_sql("BEGIN")
            return
        # SQLite lets those who wait look again after growing pauses: of many, some never win.
        with turn:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
