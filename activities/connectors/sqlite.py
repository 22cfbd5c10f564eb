"""Reads a SQLite file, never writing to it."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from activities.connectors import checks
from activities.connectors.protocol import Asset, Batch, Bound, Column, Listing, Position, Sample
from activities.connectors.rows import (
    as_text,
    blocks,
    bounded,
    columnar,
    in_batches,
    reservoir,
    weight,
)
from racine.errors import SourceFault
from racine.governance.data_sources import CheckStep

_BUSY_SECONDS = 10
_LARGEST = 16 << 20
"""Bytes of the largest value that SQLite may load."""

_TOO_LARGE = f"rows with a value over {_LARGEST >> 20} MB, left out"

_COLUMNS = """
SELECT s.name, s.type, s.sql, c.name, c.type, c.pk
FROM sqlite_schema AS s JOIN pragma_table_xinfo(s.name) AS c
WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden <> 1
ORDER BY s.name, c.cid
"""
_KEYS = """
SELECT s.name, k."from", k."table", k."to"
FROM sqlite_schema AS s JOIN pragma_foreign_key_list(s.name) AS k
WHERE s.type = 'table'
"""


class SqliteConnector:
    """One read-only connection to a SQLite file."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._opened: sqlite3.Connection | None = None

    def check(self) -> Iterator[CheckStep]:
        return checks.run(
            ("find", self._find), ("open", self._open), ("list", self._list), ("read", self._read)
        )

    def discover(self) -> Listing:
        keys = {(table, column): f"{to}.{key}" for table, column, to, key in self._ask(_KEYS)}
        tables: dict[str, list[Column]] = {}
        sqls: dict[str, str] = {}
        for table, _, sql, name, type_, pk in self._ask(_COLUMNS):
            column = Column(name, type_ or "", bool(pk), keys.get((table, name)))
            tables.setdefault(table, []).append(column)
            sqls[table] = sql
        # One mark for all tables: the file does not tell which of them a write has changed.
        mark = checks.fingerprint(self._path, Path(f"{self._path}-wal"))
        assets = [
            Asset(
                name, "table", tuple(columns), {"rowid": _rowid(sqls[name], columns)},
                fingerprint=mark,
            )
            for name, columns in tables.items()
        ]  # fmt: skip
        return Listing((*assets, *self._views()))

    def count(self, asset: Asset) -> int | None:
        return int(self._ask(f"SELECT count(*) FROM {_quoted(asset.name)}")[0][0])

    def read(self, asset: Asset, sample: Sample, after: Position | None = None) -> Iterator[Batch]:
        total = None if sample.rows is None else self.count(asset) or 0
        if sample.rows is None or (total is not None and total <= sample.rows):
            yield from self._all(asset, after)
            return
        irregular = Counter[str]()
        rows = self._blocks(asset, sample, irregular) if asset.details.get("rowid") else []
        # Deleted ranges leave strata empty: then an even draw over all rows is the better sample.
        if len(rows) * 2 < sample.rows:
            rows = reservoir(self._rows(asset, irregular), sample.rows, sample.seed)
        yield from in_batches(rows, len(asset.columns), irregular)

    def newest(self, asset: Asset, column: str) -> str | None:
        found = self._ask(f"SELECT max({_quoted(column)}) FROM {_quoted(asset.name)}")
        return as_text([found[0][0]])[0]

    def read_since(self, asset: Asset, bound: Bound, sample: Sample) -> Iterator[Batch]:
        where = f"{_quoted(bound.column)} > {_literal(bound.value)}"
        width = len(asset.columns)
        parts = bounded(self._each(asset, where), width, weight)
        if sample.rows is not None:
            yield from in_batches(reservoir(parts, sample.rows, sample.seed), width)
            return
        for rows in parts:
            yield columnar(rows, width)

    def cancel(self) -> None:
        if self._opened is not None:
            self._opened.interrupt()

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _all(self, asset: Asset, after: Position | None) -> Iterator[Batch]:
        irregular, width = Counter[str](), len(asset.columns)
        if not asset.details.get("rowid"):
            for rows in bounded(self._each(asset), width, weight):
                yield columnar(rows, width)
            return
        for rows in bounded(self._numbered(asset, after, irregular), width, weight):
            yield Batch(
                columnar([row[1:] for row in rows], width).columns, len(rows), rows[-1][0],
                dict(irregular),
            )  # fmt: skip
            irregular.clear()
        if irregular:
            yield Batch([()] * width, 0, irregular=dict(irregular))

    def _rows(self, asset: Asset, irregular: Counter[str]) -> Iterator[list[Any]]:
        if not asset.details.get("rowid"):
            yield from ([row] for row in self._each(asset))
            return
        yield from ([row[1:]] for row in self._numbered(asset, None, irregular))

    def _numbered(
        self, asset: Asset, after: Position | None, irregular: Counter[str]
    ) -> Iterator[tuple[Any, ...]]:
        """Yield rows, each after its number; one with a value over `_LARGEST` is left out."""
        key, last = asset.details["rowid"], after
        select = f"SELECT {key}, {_list(asset)} FROM {_quoted(asset.name)}"
        single = False
        while True:
            # The driver steps ahead of the row it gives: the row at fault is found one by one.
            where = "" if last is None else f" WHERE {key} > {int(last)}"
            found = self._ask(f"SELECT min({key}) FROM {_quoted(asset.name)}{where}")
            if found == [(None,)]:
                return
            tail = f" WHERE {key} = {found[0][0]}" if single else f"{where} ORDER BY {key}"
            try:
                for row in self._connection().execute(select + tail):
                    last = row[0]
                    yield row
            except sqlite3.Error as fault:
                if not _is_too_large(fault):
                    raise self._fault(fault) from None
                if single:
                    irregular[_TOO_LARGE] += 1
                    last = found[0][0]
                single = not single

    def _each(self, asset: Asset, where: str = "true") -> Iterator[tuple[Any, ...]]:
        cursor = self._run(f"SELECT {_list(asset)} FROM {_quoted(asset.name)} WHERE {where}")
        try:
            yield from cursor
        except sqlite3.Error as fault:
            raise self._fault(fault) from None

    def _blocks(self, asset: Asset, sample: Sample, irregular: Counter[str]) -> list[Any]:
        """Return rows of blocks that begin at random places, one in each stratum of the rowids."""
        assert sample.rows is not None
        name, key = _quoted(asset.name), asset.details["rowid"]
        ((low, high),) = self._ask(f"SELECT min({key}), max({key}) FROM {name}")
        sql = (
            f"SELECT {_list(asset)} FROM {name} WHERE {key} >= ? AND {key} < ?"
            f" ORDER BY {key} LIMIT ?"
        )
        rows: list[Any] = []
        for place in blocks(low, high + 1, sample.rows, sample.seed):
            try:
                rows += self._connection().execute(sql, place)
            except sqlite3.Error as fault:
                if not _is_too_large(fault):
                    raise self._fault(fault) from None
                irregular[_TOO_LARGE] += 1
        return rows

    def _views(self) -> list[Asset]:
        """Return the views; one that is broken is an asset with its error, not a failed listing."""
        views = self._ask("SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name")
        return [self._view(name) for (name,) in views]

    def _view(self, name: str) -> Asset:
        try:
            found = self._ask("SELECT name, type FROM pragma_table_info(?)", (name,))
        except SourceFault as fault:
            return Asset(name, "view", error=fault.message)
        columns = tuple(Column(column, type_ or "") for column, type_ in found)
        return Asset(name, "view", columns)

    def _find(self) -> str:
        return checks.found_file(self._path)

    def _open(self) -> str:
        ((version,),) = self._ask("PRAGMA schema_version")
        return f"schema version {version}"

    def _list(self) -> str:
        ((tables,),) = self._ask("SELECT count(*) FROM sqlite_schema WHERE type = 'table'")
        return f"{tables} tables"

    def _read(self) -> str:
        return checks.first_row(
            self.discover().assets,
            lambda table: self._ask(f"SELECT 1 FROM {_quoted(table.name)} LIMIT 1"),
        )

    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._find()
            # The one-shot scan and the activity each use one thread, but cancel comes from another.
            self._opened = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS,
                check_same_thread=False, isolation_level=None,
            )  # fmt: skip
            self._opened.text_factory = _decode
            self._opened.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
        return self._opened

    def _run(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection().execute(sql, values)
        except sqlite3.Error as fault:
            raise self._fault(fault) from None

    def _ask(self, sql: str, values: tuple[Any, ...] = ()) -> list[Any]:
        cursor = self._run(sql, values)
        try:
            return cursor.fetchall()
        except sqlite3.Error as fault:
            raise self._fault(fault) from None

    def _fault(self, fault: sqlite3.Error) -> SourceFault:
        code = getattr(fault, "sqlite_errorname", "")
        hint = _NEXT_STEPS.get(code, "Open the file with sqlite3 and run PRAGMA integrity_check.")
        return SourceFault(f"SQLite could not read {self._path}: {fault}.", next_step=hint)


_NEXT_STEPS = {
    "SQLITE_NOTADB": "The file is no SQLite database, or it is encrypted.",
    "SQLITE_BUSY": "Another process holds its lock: scan again when it has finished writing.",
    "SQLITE_CANTOPEN": "Give the worker's user the right to read the file and its folder.",
    "SQLITE_TOOBIG": f"A value is over {_LARGEST >> 20} MB, in a table without row numbers.",
    "SQLITE_INTERRUPT": "The scan was cancelled or ran out of its time.",
}


def _is_too_large(fault: sqlite3.Error) -> bool:
    return getattr(fault, "sqlite_errorname", "") == "SQLITE_TOOBIG"


def _decode(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(value: str) -> str:
    """Return a bound as SQLite compares it: a number, or text."""
    try:
        return repr(int(value) if value.lstrip("-").isdecimal() else float(value))
    except ValueError:
        return "'" + value.replace("'", "''") + "'"


def _list(asset: Asset) -> str:
    return ", ".join(_quoted(column.name) for column in asset.columns)


def _rowid(sql: str, columns: list[Column]) -> str | None:
    """Return a name by which rows can be addressed: none in WITHOUT ROWID and virtual tables."""
    statement = " ".join(sql.upper().split())
    if "WITHOUT ROWID" in statement or statement.startswith("CREATE VIRTUAL"):
        return None
    taken = {column.name.lower() for column in columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), None)
