"""Reads a PostgreSQL database in read-only transactions."""

import socket
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from activities.connectors import checks
from activities.connectors.boundary import Boundary
from activities.connectors.protocol import Asset, Batch, Column, Listing, Position, Sample
from activities.connectors.rows import batch_rows, columnar, in_batches, reservoir
from racine.errors import SourceFault, Unavailable
from racine.governance.data_sources import CheckStep
from racine.governance.data_sources.locations import Location
from racine.governance.scan_rule_sets.patterns import qualified

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 300
_SESSION = (
    f"-c statement_timeout={_STATEMENT_SECONDS}s -c lock_timeout=5s"
    " -c idle_in_transaction_session_timeout=600s -c default_transaction_read_only=on"
    " -c datestyle=ISO"
)
_PAGES = 256
"""Pages of 8 kB of one batch of a full read."""

_SPREAD = 100
"""Pages, drawn at random, that a sample comes from at least."""

_ASSETS = """
SELECT n.nspname, c.relname, c.relkind, c.reltuples::bigint,
       a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid = 'bytea'::regtype,
       coalesce(a.attnum = ANY (pk.conkey), false), fk.target,
       has_table_privilege(c.oid, 'SELECT')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_constraint AS pk ON pk.conrelid = c.oid AND pk.contype = 'p'
LEFT JOIN LATERAL (
    SELECT format('%s.%s.%s', rn.nspname, r.relname, ra.attname) AS target
    FROM pg_constraint AS k
    JOIN pg_class AS r ON r.oid = k.confrelid
    JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
    JOIN pg_attribute AS ra ON ra.attrelid = r.oid
     AND ra.attnum = k.confkey[array_position(k.conkey, a.attnum)]
    WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)
    ORDER BY k.oid LIMIT 1
) AS fk ON true
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_t%'
ORDER BY n.nspname, c.relname, a.attnum
"""
_KINDS = {"r": "table", "p": "table", "f": "table", "v": "view", "m": "view"}


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
        assets: dict[tuple[str, str], list[Any]] = {}
        for row in self._ask(_ASSETS):
            assets.setdefault((row[0], row[1]), []).append(row)
        return Listing(tuple(_asset(rows) for rows in assets.values()))

    def count(self, asset: Asset) -> int | None:
        ((rows,),) = self._ask(sql.SQL("SELECT count(*) FROM {}").format(_table(asset)))
        return int(rows)

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        width = len(asset.columns)
        if sample.rows is None:
            yield from self._all(asset, int(after) if after is not None else -1)
            return
        known = asset.rows or 0
        if asset.details["storage"] == "r" and known > 4 * sample.rows:
            rows = self._scattered(asset, sample, known)
        else:
            rows = reservoir(self._stream(asset), sample.rows, sample.seed)
        yield from in_batches(rows, width)

    def cancel(self) -> None:
        if self._opened is not None:
            self._opened.cancel_safe(timeout=5)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _all(self, asset: Asset, after: int) -> Iterator[Batch]:
        """Yield all rows; a plain table's by ranges of pages, so that a read can go on."""
        width = len(asset.columns)
        # Before version 14 a range of pages is found by reading the whole table.
        paged = self._connection().info.server_version >= 140_000
        if asset.details["storage"] != "r" or not paged:
            for rows in self._stream(asset):
                yield columnar(rows, width)
            return
        pages = self._pages(asset)
        for start in range(after + 1, pages, _PAGES):
            end = start + _PAGES
            query = sql.SQL("SELECT {} FROM {} WHERE ctid >= {} AND ctid < {}").format(
                _columns(asset), _table(asset), f"({start},0)", f"({end},0)"
            )
            rows = self._ask(query)
            for at in range(0, len(rows), batch_rows(width)):
                last = at + batch_rows(width) >= len(rows)
                part = rows[at : at + batch_rows(width)]
                # Only the end of a range is a place to go on from.
                yield columnar(part, width, end - 1 if last else None)

    def _pages(self, asset: Asset) -> int:
        query = sql.SQL(
            "SELECT pg_relation_size({}::regclass) / current_setting('block_size')::int"
        )
        ((pages,),) = self._ask(query.format(_table(asset).as_string(self._connection())))
        return int(pages)

    def _scattered(self, asset: Asset, sample: Sample, known: int) -> list[Any]:
        """Return rows of pages drawn at random (TABLESAMPLE), mixed before any is left out.

        Fewer than `_SPREAD` pages would be no picture of the table; where that is much of it, rows
        are drawn instead of pages.
        """
        assert sample.rows is not None
        rows_share = 1.5 * sample.rows / known
        pages_share = max(rows_share, _SPREAD / max(self._pages(asset), 1))
        method, share = ("SYSTEM", pages_share) if pages_share < 0.2 else ("BERNOULLI", rows_share)
        query = sql.SQL(
            "SELECT {} FROM {} TABLESAMPLE {} ({}) REPEATABLE ({}) LIMIT {}"
        ).format(
            _columns(asset), _table(asset), sql.SQL(method), min(100.0, 100 * share), sample.seed,
            50 * sample.rows,
        )  # fmt: skip
        rows = reservoir([self._ask(query)], sample.rows, sample.seed)
        # Statistics can be far off, and few pages can hold few rows: then every row has its chance.
        if len(rows) * 2 < sample.rows:
            return reservoir(self._stream(asset), sample.rows, sample.seed)
        return rows

    def _stream(self, asset: Asset) -> Iterator[Sequence[Any]]:
        query = sql.SQL("SELECT {} FROM {}").format(_columns(asset), _table(asset))
        connection = self._connection()
        try:
            with connection.cursor(name="racine_scan") as cursor:
                cursor.itersize = batch_rows(len(asset.columns))
                cursor.execute(query)
                while rows := cursor.fetchmany(cursor.itersize):
                    yield rows
        except psycopg.Error as fault:
            raise self._fault(fault) from None
        finally:
            if not connection.closed:
                connection.rollback()

    def _resolve(self) -> str:
        return self._boundary.resolve(self._location.host, self._location.port)

    def _reach(self) -> str:
        address = (self._resolve(), self._location.port)
        try:
            socket.create_connection(address, _CONNECT_SECONDS).close()
        except OSError as fault:
            raise SourceFault(
                f"Nothing answers at {address[0]} port {address[1]}: {fault}.",
                next_step="Check the port, the firewall, and that PostgreSQL listens there.",
            ) from None
        return f"{address[0]} port {address[1]}"

    def _login(self) -> str:
        ((user, version),) = self._ask("SELECT current_user, current_setting('server_version')")
        return f"as {user} on PostgreSQL {version}"

    def _list(self) -> str:
        return f"{len(self.discover().assets)} tables and views"

    def _read(self) -> str:
        assets = self.discover().assets
        table = next((a for a in assets if a.kind == "table" and not a.error), None)
        refused = [a for a in assets if a.error]
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

    def _ask(self, query: Any) -> list[Any]:
        connection = self._connection()
        try:
            with connection.transaction():
                return connection.execute(query).fetchall()
        except psycopg.Error as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: psycopg.Error) -> SourceFault | Unavailable:
        """Map a driver's error; its text can repeat values of a row, so only the state is told."""
        state = fault.sqlstate or ""
        words, hint = _STATES.get(state) or _STATES.get(state[:2]) or _unknown(fault)
        lost = (state[:2] in ("08", "57") and state != "57014") or state == "53300"
        kind = Unavailable if lost or self._lost() else SourceFault
        return kind(f"{self._location}: {words}.", next_step=hint)

    def _lost(self) -> bool:
        """Whether a connection that stood has broken: reading again may help."""
        return self._opened is not None and self._opened.broken


_OPTIONS = frozenset({"sslmode", "sslrootcert", "sslnegotiation", "channel_binding"})

_STATES = {
    "28P01": ("the password is wrong", "Check the credential that the source refers to."),
    "28000": ("the server refuses this user", "Check the user's name and pg_hba.conf."),
    "3D000": ("there is no such database", "Check the database in the source's location."),
    "42501": ("the user may not read this", "GRANT SELECT on it to the source's user."),
    "42P01": ("the table is gone", "Discover the source again."),
    "57014": (f"the statement was cancelled or took over {_STATEMENT_SECONDS} s",
              "Scan a smaller sample, or at a quieter time."),
    "53300": ("the server has no connection free", "Scan again later."),
    "55P03": ("the table is locked", "Scan again when the lock is gone."),
    "22": ("a value could not be read", "Check the view's expressions."),
    "08": ("the connection was lost", "Check the server's log and the network."),
    "57": ("the server is stopping", "Scan again when it is up."),
}  # fmt: skip


def _unknown(fault: psycopg.Error) -> tuple[str, str]:
    """Return words for an error without a known state: of a failed login, what the driver says."""
    if fault.sqlstate:
        return f"PostgreSQL error {fault.sqlstate}", "See PostgreSQL's list of error codes."
    lines = str(fault).strip().splitlines()
    text = lines[-1] if lines else type(fault).__name__
    for state, wording in (("28P01", "password"), ("28000", "role "), ("3D000", "database ")):
        if wording in text and "fe_sendauth" not in text and ("FATAL" in text or "fail" in text):
            return _STATES[state]
    if "no password supplied" in text:
        return "the server wants a password", "Give the source a credential by reference."
    return f"no connection ({text})", "Check the address, the port and the server's log."


def _asset(rows: list[Any]) -> Asset:
    schema, table, storage, tuples, *_, readable = rows[0]
    name = qualified(schema, table)
    columns = tuple(Column(row[4], row[5], row[7], row[8]) for row in rows if row[4] is not None)
    binary = [row[4] for row in rows if row[6]]
    details = {"path": [schema, table], "storage": storage, "binary": binary}
    error = None if readable else f"The user may not read {name}: it lacks SELECT."
    return Asset(name, _KINDS[storage], columns, details, tuples if tuples >= 0 else None,
                 error=error)  # fmt: skip


def _grant(refused: list[Asset]) -> str:
    schemas = sorted({asset.details["path"][0] for asset in refused})
    return "; ".join(f'GRANT SELECT ON ALL TABLES IN SCHEMA "{s}" TO the source\'s user'
                     for s in schemas)  # fmt: skip


def _table(asset: Asset) -> sql.Identifier:
    return sql.Identifier(*asset.details["path"])


def _columns(asset: Asset) -> sql.Composed:
    """Return the select list: every column as text, as PostgreSQL itself writes it."""
    binary = set(asset.details["binary"])
    return sql.SQL(", ").join(
        sql.SQL("NULL::text") if column.name in binary
        else sql.SQL("{}::text").format(sql.Identifier(column.name))
        for column in asset.columns
    )  # fmt: skip
