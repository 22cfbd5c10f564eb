"""Runs statements on a PostgreSQL database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow

from activities.connectors.boundary import Boundary
from activities.statements.protocol import BATCH, Answer, Row
from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources.locations import Location
from racine.statements import Statement

_CONNECT_SECONDS = 10
_OPTIONS = ("sslmode", "sslrootcert", "sslnegotiation", "channel_binding")


class PostgresqlSession:
    """One transaction; the server itself ends a statement that takes too long."""

    def __init__(
        self, location: Location, boundary: Boundary, *, write: bool, seconds: float
    ) -> None:
        self._location, self._write = location, write
        self._cursor: psycopg.Cursor[TupleRow] | None = None
        options: dict[str, Any] = {
            k: location.options[k] for k in _OPTIONS if k in location.options
        }
        session = (
            f"-c statement_timeout={int(seconds * 1000)} -c lock_timeout=10s -c datestyle=ISO"
            " -c idle_in_transaction_session_timeout=600s"
        )
        try:
            self._connection: psycopg.Connection[TupleRow] = psycopg.connect(
                host=location.host, hostaddr=boundary.resolve(location.host, location.port),
                port=location.port, user=location.user or None,
                password=location.password or None, dbname=location.database or None,
                connect_timeout=_CONNECT_SECONDS, options=session, application_name="racine",
                keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
                tcp_user_timeout=30_000, passfile="/nonexistent", **options,
            )  # fmt: skip
            self._connection.read_only = not write
            # With the first snapshot taken, no statement can make the transaction a writing one.
            self._connection.execute("SELECT 1")
        except psycopg.Error as fault:
            raise self._fault(fault) from None

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Answer:
        places = {name: f"${number}" for number, name in enumerate(values, 1)}
        text, given = statement.marked(places.__getitem__).encode(), list(values.values())
        try:
            if self._cursor is not None:
                self._cursor.close()
            cursor = self._cursor = self._made(statement)
            cursor.execute(text, given)
        except psycopg.Error as fault:
            raise self._fault(fault) from None
        if cursor.description is None:
            return Answer(affected=cursor.rowcount)
        return Answer(tuple(column.name for column in cursor.description), self._rows(cursor))

    def commit(self) -> None:
        try:
            self._connection.commit()
        except psycopg.Error as fault:
            raise self._fault(fault) from None

    def cancel(self) -> None:
        self._connection.cancel_safe(timeout=5)

    def close(self) -> None:
        if self._cursor is not None:
            with suppress(psycopg.Error):
                self._cursor.close()
        self._connection.close()

    def _made(self, statement: Statement) -> "psycopg.Cursor[TupleRow]":
        """Return a cursor at the server for a query, which then never lies in memory as a whole."""
        queries = ("SELECT", "VALUES", "TABLE", "" if self._write else "WITH")
        if statement.verb in queries:
            return psycopg.RawServerCursor(self._connection, "racine_rows")
        return psycopg.RawCursor(self._connection)

    def _rows(self, cursor: "psycopg.Cursor[TupleRow]") -> Iterator[Sequence[Row]]:
        try:
            while rows := cursor.fetchmany(BATCH):
                yield rows
            cursor.close()
        except psycopg.Error as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: psycopg.Error) -> SourceFault | Unavailable:
        """Map a driver's error; its text can repeat a row's values, so most tell but their kind."""
        state = fault.sqlstate or ""
        if state == "57014":
            return SourceFault(f"{self._location}: the statement was cancelled or ran out of time.")
        if not state or state[:2] in ("08", "57") or state == "53300":
            return Unavailable(f"{self._location}: the connection failed or was lost.")
        if state[:2] in ("42", "25", "0A"):
            return SourceFault(f"{self._location}: {fault.diag.message_primary}.")
        where = (fault.diag.constraint_name, fault.diag.table_name, fault.diag.column_name)
        named = ", ".join(part for part in where if part)
        kind = errors.lookup(state).__name__
        return SourceFault(f"{self._location}: {kind}{f' ({named})' if named else ''}.")
