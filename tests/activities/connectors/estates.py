"""The same awkward tables in every kind of source."""

import csv
import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql

COLUMNS = ("id", "e mail", "select", 'quo"te', "größe/1", "note")
ROWS = 3000
NAMES = ("people", "a b", 'quo"te', "select", "größe", "%x' OR 1")
"""Tables, all of the same columns; the first has rows, the others a few."""


def rows(count: int = ROWS) -> list[tuple[Any, ...]]:
    return [
        (n, f"person{n}@example.org", f"{n:05d}", 'say "hi", now', f"größe {n % 7}\nx", None)
        for n in range(1, count + 1)
    ]


def cells(count: int = ROWS) -> list[tuple[str | None, ...]]:
    """Return the rows as a connector gives them."""
    return [tuple(None if v is None else str(v) for v in row) for row in rows(count)]


def sqlite(folder: Path, _: str) -> str:
    path = folder / "shop.db"
    with sqlite3.connect(path) as db:
        for name in NAMES:
            db.execute(f"CREATE TABLE {_q(name)} ({_columns('INTEGER PRIMARY KEY', 'TEXT')})")
            db.executemany(f"INSERT INTO {_q(name)} VALUES (?,?,?,?,?,?)", _rows_of(name))
        db.execute("CREATE TABLE hollow (id INTEGER)")
        db.execute("CREATE TABLE pictures (id INTEGER, image BLOB)")
        db.execute("INSERT INTO pictures VALUES (1, x'89504e470d0a1a0a')")
        db.execute("CREATE VIEW old AS SELECT id FROM people WHERE id < 10")
    db.close()
    return str(path)


def duck(folder: Path, _: str) -> str:
    path = folder / "shop.duckdb"
    with duckdb.connect(str(path)) as db:
        for name in NAMES:
            db.execute(f"CREATE TABLE {_q(name)} ({_columns('INTEGER PRIMARY KEY', 'VARCHAR')})")
            db.executemany(f"INSERT INTO {_q(name)} VALUES (?,?,?,?,?,?)", _rows_of(name))
        db.execute("CREATE TABLE hollow (id INTEGER)")
        db.execute("CREATE TABLE pictures (id INTEGER, image BLOB)")
        db.execute("INSERT INTO pictures VALUES (1, '\\x89PNG'::BLOB)")
        db.execute("CREATE VIEW old AS SELECT id FROM people WHERE id < 10")
    return str(path)


def postgres(_: Path, url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as db:
        for name in NAMES:
            table = sql.Identifier(name).as_string(db)
            db.execute(f"CREATE TABLE {table} ({_columns('int PRIMARY KEY', 'text')})".encode())
            with db.cursor() as cursor:
                insert = f"INSERT INTO {table.replace('%', '%%')} VALUES (%s,%s,%s,%s,%s,%s)"
                cursor.executemany(insert.encode(), _rows_of(name))
        db.execute("CREATE TABLE hollow (id int)")
        db.execute("CREATE TABLE pictures (id int, image bytea)")
        db.execute("INSERT INTO pictures VALUES (1, '\\x89504e47')")
        db.execute("CREATE VIEW old AS SELECT id FROM people WHERE id < 10")
        db.execute("ANALYZE")
    return url


def csv_folder(folder: Path, _: str) -> str:
    def write(path: Path, values: Sequence[Sequence[Any]]) -> None:
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(COLUMNS)
            writer.writerows(values)

    return _folder(folder, ".csv", write)


def jsonl_folder(folder: Path, _: str) -> str:
    def write(path: Path, values: Sequence[Sequence[Any]]) -> None:
        lines = (json.dumps(dict(zip(COLUMNS, row, strict=True))) for row in values)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    return _folder(folder, ".jsonl", write)


def parquet_folder(folder: Path, _: str) -> str:
    def write(path: Path, values: Sequence[Sequence[Any]]) -> None:
        with duckdb.connect() as db:
            db.execute(f"CREATE TABLE t ({_columns('INTEGER', 'VARCHAR')})")
            db.executemany("INSERT INTO t VALUES (?,?,?,?,?,?)", values)
            quoted = str(path).replace("'", "''")
            db.execute(f"COPY t TO '{quoted}' (FORMAT parquet, ROW_GROUP_SIZE 1000)")

    return _folder(folder, ".parquet", write)


Build = Callable[[Path, str], str]

ESTATES: dict[str, tuple[str, Build, str]] = {
    "sqlite": ("sqlite", sqlite, ""),
    "duckdb": ("duckdb", duck, ""),
    "postgresql": ("postgresql", postgres, ""),
    "csv": ("files", csv_folder, ".csv"),
    "jsonl": ("files", jsonl_folder, ".jsonl"),
    "parquet": ("files", parquet_folder, ".parquet"),
}
"""Kind of source, what builds it, and what its assets' names end in."""


def _folder(
    folder: Path, suffix: str, write: Callable[[Path, Sequence[Sequence[Any]]], None]
) -> str:
    for name in NAMES:
        write(folder / f"{name}{suffix}", _rows_of(name))
    return str(folder)


def _rows_of(name: str) -> list[tuple[Any, ...]]:
    return rows() if name == "people" else rows(3)


def _columns(first: str, other: str) -> str:
    return ", ".join(f"{_q(c)} {other if n else first}" for n, c in enumerate(COLUMNS))


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
