"""Runs statements on a MySQL or MariaDB database.

The driver has no prepared statements: it would quote values on this side, as the server's mode
allows. So a value becomes a literal without quotes: a text becomes the hexadecimal digits of its
bytes and the name of its character set, which a server reads as that text and as nothing else.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.constants import CLIENT, ER
from pymysql.cursors import SSCursor

from activities.connectors.boundary import Boundary
from activities.connectors.mysql_faults import as_fault
from activities.connectors.mysql_opening import BROKEN_TALK, abandon, connected
from activities.statements.protocol import BATCH, Answer, Row
from racine.errors import InvalidInput, SourceFault, Unavailable
from racine.governance.data_sources.locations import Location
from racine.statements import Statement

_MODE = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""How the server reads a statement: as the parser does, which finds the places of its values."""

_SILENCE_SECONDS = 10
"""How much longer than its statement may take the server may say nothing."""

_CANCELLED = (ER.QUERY_INTERRUPTED, ER.STATEMENT_TIMEOUT, 3024)
_NAMING = (
    1046, 1048, 1050, 1051, 1052, 1054, 1109, 1136, 1142, 1143, 1146, 1176, 1267, 1305, 1364,
    1370, 1406, 1451, 1452, 1792, 3819, 4025,
)  # fmt: skip
"""Errors whose text names parts of the schema and repeats no value."""


class MysqlSession:
    """One transaction; the server itself ends a statement that takes too long, where it can."""

    def __init__(
        self, location: Location, boundary: Boundary, *, write: bool, seconds: float
    ) -> None:
        self._location, self._boundary = location, boundary
        self._cursor: SSCursor | None = None
        try:
            self._connection = self._connect(seconds + _SILENCE_SECONDS)
            self._settle(seconds, "READ WRITE" if write else "READ ONLY")
        except (pymysql.MySQLError, OSError, *BROKEN_TALK) as fault:
            raise self._fault(fault) from None

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Answer:
        text = statement.marked(lambda name: literal(name, values[name]))
        try:
            if self._cursor is not None:
                self._cursor.close()
            cursor = self._cursor = SSCursor(self._connection)
            cursor.execute(text)
        except (pymysql.MySQLError, OSError, *BROKEN_TALK) as fault:
            raise self._fault(fault) from None
        if cursor.description is None:
            return Answer(affected=cursor.rowcount)
        return Answer(tuple(column[0] for column in cursor.description), self._rows(cursor))

    def commit(self) -> None:
        try:
            if self._cursor is not None:
                self._cursor.close()
            self._connection.commit()
        except (pymysql.MySQLError, OSError, *BROKEN_TALK) as fault:
            raise self._fault(fault) from None

    def cancel(self) -> None:
        with suppress(SourceFault, Unavailable, pymysql.MySQLError, OSError):
            other = self._connect(_SILENCE_SECONDS)
            try:
                other.query(f"KILL QUERY {self._connection.thread_id()}")
            finally:
                other.close()

    def close(self) -> None:
        if self._cursor is not None:
            abandon(self._cursor)
        if self._connection.open:
            with suppress(OSError, pymysql.MySQLError):
                self._connection.close()

    def _connect(self, silence: float) -> "Connection[Any]":
        return connected(
            self._location, self._boundary, silence_seconds=silence, autocommit=False,
            client_flag=CLIENT.FOUND_ROWS,
        )  # fmt: skip

    def _settle(self, seconds: float, access: str) -> None:
        limit = (
            f"max_statement_time = {max(seconds, 0.001):.3f}"
            if "MariaDB" in self._connection.get_server_info()
            else f"max_execution_time = {max(int(seconds * 1000), 1)}"
        )
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"SET SESSION sql_mode = '{_MODE}', {limit}, wait_timeout = 600,"
                " lock_wait_timeout = 10, innodb_lock_wait_timeout = 10"
            )
            cursor.execute(f"SET SESSION TRANSACTION {access}")
            cursor.execute(f"START TRANSACTION {access}")

    def _rows(self, cursor: SSCursor) -> Iterator[Sequence[Row]]:
        try:
            while rows := cursor.fetchmany(BATCH):
                yield rows
        except (pymysql.MySQLError, OSError, *BROKEN_TALK) as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: Exception) -> SourceFault | Unavailable:
        """Map a driver's error; its text can repeat a row's values, so most tell but their kind."""
        number = fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0
        said = str(fault.args[1]) if len(fault.args) > 1 else ""
        if number in _CANCELLED:
            what = "the statement was cancelled or ran out of time"
        elif number == ER.PARSE_ERROR:
            what = f"the statement is no SQL that the server knows, {_line(said)}"
        elif number in _NAMING:
            what = said.rstrip(".")
        elif number == ER.DUP_ENTRY:
            what = f"a row would be there twice: {said.rpartition(' for ')[2]}"
        else:
            return as_fault(fault, self._location)
        return SourceFault(f"{self._location}: {what}.")


def literal(name: str, value: Any) -> str:
    """Return a value as SQL that holds no quote and no backslash, whatever the value is.

    Raises InvalidInput, naming the parameter, for a value that SQL cannot say.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value) if value >= 0 else f"({value})"
    if isinstance(value, float) and math.isfinite(value):
        text = repr(value)
        return f"({text if 'e' in text else text + 'e0'})"  # without it, a decimal
    try:
        digits = value.encode().hex()
    except (AttributeError, UnicodeEncodeError):
        raise InvalidInput(
            f"The parameter {name!r} is no text, number, truth value or null that SQL has.",
            next_step="Check what the parameter is given.",
        ) from None
    return f"_utf8mb4 0x{digits}" if digits else "''"


def _line(said: str) -> str:
    """Return the end of a parser's complaint: what stands before it repeats the statement."""
    _, found, line = said.rpartition(" at line ")
    return f"at line {line}" if found and line.isdecimal() else "somewhere"
