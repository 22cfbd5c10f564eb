"""Reads a PostgreSQL database in read-only transactions."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import chain
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from activities.connectors import checks
from activities.connectors.boundary import Boundary
from activities.connectors.hanging_up import hang_up
from activities.connectors.postgresql_faults import as_fault
from activities.connectors.postgresql_tables import COLUMNS, KEYS, RESET, STORAGE, assets
from activities.connectors.protocol import (
    LONGEST_VALUE,
    Asset,
    Batch,
    Bound,
    Listing,
    Position,
    Sample,
)
from activities.connectors.rows import bounded, columnar, in_batches, reservoir, text_weight
from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources import CheckStep
from racine.governance.data_sources.locations import Location

_CONNECT_SECONDS = 10
_CANCEL_SECONDS = 3
"""How long a server may take to hear that it should stop, before it is hung up on."""
_STATEMENT_SECONDS = 300
_SESSION = (
    f"-c statement_timeout={_STATEMENT_SECONDS}s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=600s -c default_transaction_read_only=on"
    " -c datestyle=ISO"
)
_PAGES = 256
"""Pages of 8 kB of one batch of a full read."""

_LARGE = 1_000_000
"""Rows from which the server's estimate is count enough."""

_PAGE_BYTES = 8192
_FIRST_FETCH, _LARGEST_FETCH, _FETCHED_CHARACTERS = 100, 2000, 4 << 20
_SHORT = frozenset("boolean smallint integer bigint real date uuid oid".split()) | {
    "double precision",
    "timestamp without time zone",
    "timestamp with time zone",
}
"""Types whose values are never long."""

_SPREAD = 100
"""Pages, drawn at random, that a sample comes from at least."""


class PostgresqlConnector:
    """One connection, whose transactions cannot write and whose statements end in time."""

    def __init__(self, location: Location, boundary: Boundary) -> None:
        self._location, self._boundary = location, boundary
        self._opened: psycopg.Connection[TupleRow] | None = None

    def check(self) -> Iterator[CheckStep]:
        return checks.run(
            ("resolve", self._resolve),
            ("connect", self._reach),
            ("login", self._login),
            ("list", self._list),
            ("read", self._read),
        )

    def discover(self) -> Listing:
        with self._transaction() as connection:
            columns, keys, storage, ((reset,),) = (
                connection.execute(query).fetchall() for query in (COLUMNS, KEYS, STORAGE, RESET)
            )
        return Listing(tuple(assets(columns, keys, storage, reset)))

    def count(self, asset: Asset) -> int | None:
        """Return the number of rows; of a large table, the server's estimate."""
        if asset.rows is not None and asset.rows > _LARGE:
            return asset.rows
        ((rows,),) = self._ask(sql.SQL("SELECT count(*) FROM {}").format(_table(asset)))
        return int(rows)

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        if sample.rows is not None:
            yield from in_batches(self._sampled(asset, sample), len(asset.columns))
        elif asset.parts:
            yield from self._partitions(asset, after)
        else:
            yield from self._all(asset, int(after) if after is not None else -1)

    def newest(self, asset: Asset, column: str) -> str | None:
        query = sql.SQL("SELECT max({})::text FROM {}")
        ((value,),) = self._ask(query.format(sql.Identifier(column), _table(asset)))
        return None if value is None else str(value)

    def read_since(self, asset: Asset, bound: Bound, sample: Sample) -> Iterator[Batch]:
        column, width = sql.Identifier(bound.column), len(asset.columns)
        query = sql.SQL("{} WHERE {} > {}").format(_select(asset), column, bound.value)
        parts = self._stream(query, width)
        if sample.rows is not None:
            yield from in_batches(reservoir(parts, sample.rows, sample.seed), width)
            return
        for rows in parts:
            yield columnar(rows, width)

    def cancel(self) -> None:
        connection = self._opened
        if connection is None or connection.closed:
            return
        try:
            connection.cancel_safe(timeout=_CANCEL_SECONDS)
        except psycopg.Error:
            with suppress(psycopg.Error):
                hang_up(connection.fileno())

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _partitions(self, asset: Asset, after: Position | None) -> Iterator[Batch]:
        """Yield the rows of each partition in turn; positions are `page@partition`."""
        page, _, last = str(after or "").partition("@")
        for part in asset.parts:
            if part.name < last:
                continue
            own = _partition(asset, part.name)
            for batch in self._all(own, int(page) if part.name == last else -1):
                at = None if batch.position is None else f"{batch.position}@{part.name}"
                yield replace(batch, position=at)

    def _all(self, asset: Asset, after: int) -> Iterator[Batch]:
        """Yield all rows; a plain table's by ranges of pages, so that a read can go on."""
        width = len(asset.columns)
        # Before version 14 a range of pages is found by reading the whole table.
        paged = self._connection().info.server_version >= 140_000
        if asset.details["storage"] != "r" or not paged:
            for rows in self._stream(_select(asset), width):
                yield columnar(rows, width)
            return
        pages = self._pages(asset)
        for start in range(after + 1, pages, _PAGES):
            end = start + _PAGES
            query = sql.SQL("{} WHERE ctid >= {} AND ctid < {}").format(
                _select(asset), f"({start},0)", f"({end},0)"
            )
            last: list[Any] = []
            for rows in self._stream(query, width):
                if last:
                    yield columnar(last, width)
                last = rows
            # Only the end of a range is a place to go on from.
            yield columnar(last, width, end - 1)

    def _pages(self, asset: Asset) -> int:
        query = sql.SQL(
            "SELECT pg_relation_size({}::regclass) / current_setting('block_size')::int"
        )
        ((pages,),) = self._ask(query.format(_table(asset).as_string(self._connection())))
        return int(pages)

    def _sampled(self, asset: Asset, sample: Sample) -> list[Any]:
        assert sample.rows is not None
        known = asset.rows or 0
        if asset.details["storage"] in "rpm" and known > 4 * sample.rows:
            rows = self._scattered(asset, sample, known)
            # Statistics can be far off, and few pages can hold few rows.
            if len(rows) * 2 >= sample.rows:
                return rows
        own = [_partition(asset, part.name) for part in asset.parts] or [asset]
        streams = (self._stream(_select(each), len(asset.columns)) for each in own)
        return reservoir(chain.from_iterable(streams), sample.rows, sample.seed)

    def _scattered(self, asset: Asset, sample: Sample, known: int) -> list[Any]:
        """Return rows of pages drawn at random (TABLESAMPLE), mixed before any is left out.

        Fewer than `_SPREAD` pages would be no picture of the table; where that is much of it, rows
        are drawn instead of pages.
        """
        assert sample.rows is not None
        rows_share = 1.5 * sample.rows / known
        pages = (asset.bytes or 0) // _PAGE_BYTES
        pages_share = max(rows_share, _SPREAD / max(pages, 1))
        method, share = ("SYSTEM", pages_share) if pages_share < 0.2 else ("BERNOULLI", rows_share)
        query = sql.SQL("{} TABLESAMPLE {} ({}) REPEATABLE ({})").format(
            _select(asset), sql.SQL(method), min(100.0, 100 * share), sample.seed
        )
        return reservoir(self._stream(query, len(asset.columns)), sample.rows, sample.seed)

    def _stream(self, query: sql.Composed, width: int) -> Iterator[list[Any]]:
        """Yield a query's rows in lists that are bounded in rows and in characters."""
        connection = self._connection()
        cursor = connection.cursor(name="racine_scan")
        try:
            cursor.execute(query)
            yield from bounded(_fetched(cursor), width, text_weight)
        except psycopg.Error as fault:
            raise self._fault(fault) from None
        finally:
            # Who reads no further need not hear that the connection had broken meanwhile; the end
            # of the transaction finds out, and the cursor then asks the server nothing.
            with suppress(psycopg.Error):
                connection.rollback()
            with suppress(psycopg.Error):
                cursor.close()

    def _resolve(self) -> str:
        return self._boundary.resolve(self._location.host, self._location.port)

    def _reach(self) -> str:
        return checks.reach(self._resolve(), self._location.port, "PostgreSQL")

    def _login(self) -> str:
        ((user, version),) = self._ask("SELECT current_user, current_setting('server_version')")
        return f"as {user} on PostgreSQL {version}"

    def _list(self) -> str:
        return f"{len(self.discover().assets)} tables and views"

    def _read(self) -> str:
        found = self.discover().assets
        table = next((a for a in found if a.kind == "table" and not a.error), None)
        refused = [a for a in found if a.error]
        if table is None and refused:
            raise SourceFault(str(refused[0].error), next_step=_grant(refused))
        if table is None:
            return "no table to read from"
        rows = self._ask(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(_table(table)))
        missing = f"; {len(refused)} may not be read: {_grant(refused)}" if refused else ""
        return f"{len(rows)} row of {table.name}{missing}"

    def _connection(self) -> psycopg.Connection[TupleRow]:
        if self._opened is None or self._opened.closed:
            self._opened = self._connect()
        return self._opened

    def _connect(self) -> psycopg.Connection[TupleRow]:
        at = self._location
        options: dict[str, Any] = {k: v for k, v in at.options.items() if k in _OPTIONS}
        try:
            connection = psycopg.connect(
                host=at.host, hostaddr=self._resolve(), port=at.port, user=at.user or None,
                password=at.password or None, dbname=at.database or None,
                connect_timeout=_CONNECT_SECONDS, options=_SESSION, application_name="racine",
                keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
                tcp_user_timeout=30_000, passfile="/nonexistent", **options,
            )  # fmt: skip
        except psycopg.Error as fault:
            raise self._fault(fault) from None
        connection.read_only = True
        return connection

    def _ask(self, query: sql.Composed | LiteralString) -> list[Any]:
        with self._transaction() as connection:
            return connection.execute(query).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[TupleRow]]:
        connection = self._connection()
        try:
            with connection.transaction():
                yield connection
        except psycopg.Error as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: psycopg.Error) -> SourceFault | Unavailable:
        return as_fault(fault, self._location, self._lost())

    def _lost(self) -> bool:
        """Whether a connection that stood has broken: reading again may help."""
        return self._opened is not None and self._opened.broken


_OPTIONS = frozenset({"sslmode", "sslrootcert", "sslnegotiation", "channel_binding"})


def _grant(refused: list[Asset]) -> str:
    schemas = sorted({asset.details["path"][0] for asset in refused})
    return "; ".join(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{s}" TO the source\'s user'
                     for s in schemas)  # fmt: skip


def _table(asset: Asset) -> sql.Identifier:
    return sql.Identifier(*asset.details["path"])


def _partition(asset: Asset, name: str) -> Asset:
    details = {**asset.details, "path": asset.details["paths"][name], "storage": "r"}
    return replace(asset, details=details)


def _select(asset: Asset) -> sql.Composed:
    """Return a query of every column as text, as PostgreSQL itself writes it, long ones cut."""
    binary = set(asset.details["binary"])
    columns = sql.SQL(", ").join(
        sql.SQL("NULL::text") if column.name in binary
        else sql.SQL("{}::text" if column.type in _SHORT else "left({}::text, {})").format(
            sql.Identifier(column.name), LONGEST_VALUE
        )
        for column in asset.columns
    )  # fmt: skip
    return sql.SQL("SELECT {} FROM {}").format(columns, _table(asset))


def _fetched(cursor: psycopg.ServerCursor[TupleRow]) -> Iterator[TupleRow]:
    """Yield rows, fetching as many at a time as should not be too large together."""
    size = _FIRST_FETCH
    while rows := cursor.fetchmany(size):
        some = rows[:: len(rows) // 50 + 1]
        each = sum(map(text_weight, some)) // len(some) + 1
        yield from rows
        size = max(10, min(_LARGEST_FETCH, _FETCHED_CHARACTERS // each))
