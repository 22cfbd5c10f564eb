"""Reads a MySQL or MariaDB database in read-only sessions."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import SSCursor

from activities.connectors import checks
from activities.connectors.boundary import Boundary
from activities.connectors.hanging_up import hang_up
from activities.connectors.mysql_faults import as_fault, grant
from activities.connectors.mysql_opening import BROKEN_TALK, CONNECT_SECONDS, abandon, connected
from activities.connectors.mysql_tables import COLUMNS, KEYS, TABLES, USES, assets
from activities.connectors.protocol import (
    LONGEST_VALUE,
    Asset,
    Batch,
    Bound,
    Listing,
    Position,
    Sample,
)
from activities.connectors.rows import (
    as_text,
    batch_rows,
    blocks,
    bounded,
    columnar,
    in_batches,
    reservoir,
    text_weight,
)
from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources import CheckStep
from racine.governance.data_sources.locations import Location

_CANCEL_SECONDS = 3
"""How long a server may take to hear that it should stop, before it is hung up on."""
_SILENCE_SECONDS = 310
"""How long the server may say nothing: a little longer than a statement may take."""

_STATEMENT_SECONDS = 300
_MANY = 50_000
"""Rows from which the server thins a table without a number for key before it is sent."""


class MysqlConnector:
    """One connection, which cannot write and whose statements end in time."""

    def __init__(self, location: Location, boundary: Boundary) -> None:
        self._location, self._boundary = location, boundary
        self._opened: Connection[Any] | None = None

    def check(self) -> Iterator[CheckStep]:
        return checks.run(
            ("resolve", self._resolve),
            ("connect", self._reach),
            ("login", self._login),
            ("list", self._list),
            ("read", self._read),
        )

    def discover(self) -> Listing:
        name = _literal(self._location.database) if self._location.database else ""
        scope = f"= {name}" if name else _OTHERS
        tables, columns, keys = (
            self._ask(query.format(scope=scope)) for query in (TABLES, COLUMNS, KEYS)
        )
        return Listing(tuple(assets(tables, columns, keys, self._uses(scope))))

    def _uses(self, scope: str) -> list[Any]:
        """Return how often tables were read, nothing where the server does not count or tell."""
        try:
            return self._ask(USES.format(scope=scope))
        except SourceFault:
            return []

    def count(self, asset: Asset) -> int | None:
        """Return the number of rows; of a large table, the server's estimate."""
        if asset.rows is not None and asset.rows > 20 * _MANY:
            return asset.rows
        ((rows,),) = self._ask(f"SELECT count(*) FROM {_table(asset)}")
        return int(rows)

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        width = len(asset.columns)
        if sample.rows is not None:
            yield from in_batches(self._sampled(asset, sample.rows, sample.seed), width)
        elif asset.details["key"] and asset.details["counted"]:
            yield from self._by_key(asset, after)
        else:
            for rows in self._stream(f"SELECT {_list(asset)} FROM {_table(asset)}", width):
                yield columnar(rows, width)

    def newest(self, asset: Asset, column: str) -> str | None:
        ((value,),) = self._ask(f"SELECT max({_quoted(column)}) FROM {_table(asset)}")
        return as_text([value])[0]

    def read_since(self, asset: Asset, bound: Bound, sample: Sample) -> Iterator[Batch]:
        width = len(asset.columns)
        parts = self._stream(
            f"SELECT {_list(asset)} FROM {_table(asset)}"
            f" WHERE {_quoted(bound.column)} > {_literal(bound.value)}",
            width,
        )
        if sample.rows is not None:
            yield from in_batches(reservoir(parts, sample.rows, sample.seed), width)
            return
        for rows in parts:
            yield columnar(rows, width)

    def cancel(self) -> None:
        connection = self._opened
        if connection is None or not connection.open:
            return
        try:
            with self._connect(_CANCEL_SECONDS) as other:
                other.cursor().execute(f"KILL QUERY {connection.thread_id()}")
        except (SourceFault, Unavailable, pymysql.MySQLError, OSError):
            stream = vars(connection).get("_sock")
            if stream is not None:
                hang_up(stream.fileno())

    def close(self) -> None:
        connection, self._opened = self._opened, None
        if connection is not None and connection.open:
            with suppress(OSError, pymysql.MySQLError):
                connection.close()

    def _by_key(self, asset: Asset, after: Position | None) -> Iterator[Batch]:
        """Yield all rows by their key, a number that the server counts up: a place to go on from.

        Statements of a bounded number of rows, so that each ends in its time.
        """
        key, width = _quoted(asset.details["key"]), len(asset.columns)
        size, last = batch_rows(width), after
        while True:
            where = "" if last is None else f"WHERE {key} > {int(last)}"
            query = (
                f"SELECT {key}, {_list(asset)} FROM {_table(asset)} {where}"
                f" ORDER BY {key} LIMIT {size}"
            )
            found = 0
            for rows in self._stream(query, width):
                found, last = found + len(rows), int(rows[-1][0])
                yield columnar([row[1:] for row in rows], width, last)
            if found < size:
                return

    def _sampled(self, asset: Asset, wanted: int, seed: int) -> list[Sequence[Any]]:
        known = asset.rows or 0
        found: list[Sequence[Any]] = []
        if asset.details["key"] and known > 4 * wanted:
            found = self._blocks(asset, wanted, seed)
        elif known > max(_MANY, 4 * wanted):
            share = 1.5 * wanted / known
            query = f"SELECT {_list(asset)} FROM {_table(asset)} WHERE rand({seed}) < {share:.9f}"
            found = reservoir(self._stream(query, len(asset.columns)), wanted, seed)
        # An estimate can be far off, and keys can have gaps: then every row has its chance.
        if len(found) * 2 < wanted:
            query = f"SELECT {_list(asset)} FROM {_table(asset)}"
            return reservoir(self._stream(query, len(asset.columns)), wanted, seed)
        return found

    def _blocks(self, asset: Asset, wanted: int, seed: int) -> list[Sequence[Any]]:
        """Return rows of blocks that begin at random places, one in each stratum of the keys."""
        key, table = _quoted(asset.details["key"]), _table(asset)
        ((low, high),) = self._ask(f"SELECT min({key}), max({key}) FROM {table}")
        if low is None:
            return []
        rows: list[Sequence[Any]] = []
        for place, end, share in blocks(int(low), int(high) + 1, wanted, seed):
            rows += self._ask(
                f"SELECT {_list(asset)} FROM {table} WHERE {key} >= {place} AND {key} < {end}"
                f" ORDER BY {key} LIMIT {share}"
            )
        return rows

    def _resolve(self) -> str:
        return self._boundary.resolve(self._location.host, self._location.port)

    def _reach(self) -> str:
        return checks.reach(self._resolve(), self._location.port, "MySQL or MariaDB")

    def _login(self) -> str:
        ((user, version),) = self._ask("SELECT current_user(), version()")
        return f"as {user} on {version}"

    def _list(self) -> str:
        return f"{len(self.discover().assets)} tables and views"

    def _read(self) -> str:
        assets = [asset for asset in self.discover().assets if asset.kind == "table"]
        for table in assets:
            try:
                rows = self._ask(f"SELECT 1 FROM {_table(table)} LIMIT 1")
            except SourceFault as fault:
                refused = fault
                continue
            return f"{len(rows)} row of {table.name}"
        if assets:
            raise SourceFault(refused.message, next_step=grant(assets))
        return "no table to read from"

    def _connection(self) -> "Connection[Any]":
        if self._opened is None or not self._opened.open:
            self._opened = self._connect()
        return self._opened

    def _connect(self, patience: float = CONNECT_SECONDS) -> "Connection[Any]":
        try:
            connection = connected(
                self._location, self._boundary, patience=patience,
                silence_seconds=_SILENCE_SECONDS, autocommit=True, conv={},
            )  # fmt: skip
            self._settle(connection)
        except (pymysql.MySQLError, OSError, *BROKEN_TALK) as fault:
            raise as_fault(fault, self._location) from None
        return connection

    def _settle(self, connection: "Connection[Any]") -> None:
        limit = (
            f"max_statement_time = {_STATEMENT_SECONDS}"
            if "MariaDB" in connection.get_server_info()
            else f"max_execution_time = {_STATEMENT_SECONDS * 1000}"
        )
        with connection.cursor() as cursor:
            cursor.execute(f"SET SESSION {limit}, lock_wait_timeout = 5")
            cursor.execute("SET SESSION TRANSACTION READ ONLY")

    def _ask(self, query: str) -> list[Any]:
        return [row for rows in self._stream(query, 1) for row in rows]

    def _stream(self, query: str, width: int) -> Iterator[list[Any]]:
        """Yield a query's rows as the server sends them, in lists of bounded size."""
        connection = self._connection()
        cursor = SSCursor(connection)
        ended = False
        try:
            cursor.execute(query)
            yield from bounded(cursor.fetchall_unbuffered(), width, text_weight)
            ended = True
        except (pymysql.MySQLError, OSError, *BROKEN_TALK) as fault:
            raise as_fault(fault, self._location) from None
        finally:
            if not ended:
                # What is still to come would be read to its end, or never come: a new connection.
                abandon(cursor)
                self.close()


_OTHERS = "NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _table(asset: Asset) -> str:
    return ".".join(_quoted(part) for part in asset.details["path"])


def _list(asset: Asset) -> str:
    """Return the select list: every column as text, as the server itself writes it."""
    binary = set(asset.details["binary"])
    return ", ".join(
        "NULL" if column.name in binary
        else f"LEFT(CAST({_quoted(column.name)} AS CHAR), {LONGEST_VALUE})"
        for column in asset.columns
    )  # fmt: skip
