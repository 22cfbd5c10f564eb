"""Hears what other processes tell through PostgreSQL (LISTEN and NOTIFY)."""

import threading
from collections.abc import Callable

import psycopg
import structlog
from psycopg import sql
from sqlalchemy.exc import SQLAlchemyError

from models.session import Database

_PAUSE_SECONDS = 1.0
"""Between tries while the database is away, and between looks whether to stop."""

_log = structlog.get_logger(__name__)


class Listener:
    """Listens on a channel from a thread and a connection of its own until it is closed."""

    def __init__(self, db: Database, channel: str, hear: Callable[[str], None]) -> None:
        self._db, self._channel, self._hear = db, channel, hear
        self._stop = threading.Event()
        self.listening = False
        """Whether messages come now: while they do not, their readers have to look themselves."""
        self._thread = threading.Thread(target=self._run, name=f"listen-{channel}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except (SQLAlchemyError, psycopg.Error) as fault:
                _log.warning("not_listening", channel=self._channel, error=type(fault).__name__)
                self._stop.wait(_PAUSE_SECONDS)
            finally:
                self.listening = False

    def _listen(self) -> None:
        pooled = self._db.engine.raw_connection()
        connection = pooled.driver_connection
        assert isinstance(connection, psycopg.Connection)
        # For good: a connection that listens must not serve anybody else.
        pooled.detach()
        try:
            connection.rollback()
            connection.autocommit = True
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            self.listening = True
            while not self._stop.is_set():
                for message in connection.notifies(timeout=_PAUSE_SECONDS):
                    self._hear(message.payload)
        finally:
            pooled.close()
