"""The same awkward tables in every kind of source."""

import csv
import gzip
import json
import random
import sqlite3
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg import sql
from stdnum import luhn

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from tests.mariadb import MariaDb
from tests.s3 import Gateway

COLUMNS = ("id", "e mail", "select", 'quo"te', "größe/1", "note")
ROWS = 3000
NAMES = (
    "people", "a b", 'quo"te', "select", "größe", "%x' OR 1", "back`tick", "dot.ted", "n" * 63,
    "st*r [1]?",
)  # fmt: skip
"""Tables, all of the same columns; the first has rows, the others a few."""

CLIENTS = ("id", "full_name", "email", "iban", "card_number", "born", "city", "amount")
KINDS = {
    "id": None, "full_name": "person_name", "email": "email", "iban": "iban",
    "card_number": "credit_card", "born": "date_of_birth", "city": "city",
    "amount": "financial_amount",
}  # fmt: skip
"""What each column of `clients` holds."""


def clients(count: int = 400) -> list[tuple[Any, ...]]:
    dice = random.Random(7)
    return [_client(n, dice) for n in range(1, count + 1)]


def _client(n: int, dice: random.Random) -> tuple[Any, ...]:
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    account = f"37040044{n:010d}"
    check = 98 - int(f"{account}131400") % 97
    born = f"{dice.randint(1940, 2004)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    return (
        n, f"{first} {last}", f"{first}.{last}{n}@example.org".lower(), f"DE{check:02d}{account}",
        luhn.calc_check_digit(f"453901{n:09d}").join((f"453901{n:09d}", "")), born,
        dice.choice(_CITIES), f"{dice.lognormvariate(3, 1):.2f}",
    )  # fmt: skip


_FIRST = "Ada Grace Linus Margaret Barbara Donald Katherine Alan Frances Peter Maria Anna".split()
_LAST = "Novak Silva Nguyen Rossi Meyer Haddad Kowalski Tanaka Dubois Larsen Smith".split()
_CITIES = "Lisbon Turin Porto Graz Bergen Leeds Lyon Basel Berlin Madrid Oslo Vienna".split()


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
        db.execute(f"CREATE TABLE clients ({_clients('INTEGER PRIMARY KEY', 'TEXT')})")
        db.executemany("INSERT INTO clients VALUES (?,?,?,?,?,?,?,?)", clients())
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
        db.execute(f"CREATE TABLE clients ({_clients('INTEGER PRIMARY KEY', 'VARCHAR')})")
        db.executemany("INSERT INTO clients VALUES (?,?,?,?,?,?,?,?)", clients())
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
        db.execute(f"CREATE TABLE clients ({_clients('int PRIMARY KEY', 'text')})".encode())
        with db.cursor() as cursor:
            cursor.executemany("INSERT INTO clients VALUES (%s,%s,%s,%s,%s,%s,%s,%s)", clients())
        db.execute("CREATE TABLE hollow (id int)")
        db.execute("CREATE TABLE pictures (id int, image bytea)")
        db.execute("INSERT INTO pictures VALUES (1, '\\x89504e47')")
        db.execute("CREATE VIEW old AS SELECT id FROM people WHERE id < 10")
        db.execute("ANALYZE")
    return url


def mysql(_: Path, server: MariaDb) -> str:
    name = f"estate_{uuid.uuid4().hex[:8]}"
    with server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cursor.execute(f"USE {name}")
        cursor.execute("SET sql_mode = 'ANSI_QUOTES'")
        for table in NAMES:
            columns = _columns("INT PRIMARY KEY AUTO_INCREMENT", "TEXT")
            cursor.execute(f"CREATE TABLE {_q(table)} ({columns})")
            insert = f"INSERT INTO {_q(table).replace('%', '%%')} VALUES (%s,%s,%s,%s,%s,%s)"
            cursor.executemany(insert, _rows_of(table))
        cursor.execute(f"CREATE TABLE clients ({_clients('INT PRIMARY KEY', 'TEXT')})")
        cursor.executemany("INSERT INTO clients VALUES (%s,%s,%s,%s,%s,%s,%s,%s)", clients())
        cursor.execute("CREATE TABLE hollow (id INT)")
        cursor.execute("CREATE TABLE pictures (id INT, image BLOB)")
        cursor.execute("INSERT INTO pictures VALUES (1, x'89504e470d0a1a0a')")
        cursor.execute("CREATE VIEW old AS SELECT id FROM people WHERE id < 10")
        cursor.execute("ANALYZE TABLE people, clients")
    return server.url(name)


Values = Sequence[Sequence[Any]]
Write = Callable[[Path, Sequence[str], Values], None]


def write_csv(path: Path, header: Sequence[str], values: Values) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(values)


def write_gzip(path: Path, header: Sequence[str], values: Values) -> None:
    write_csv(path, header, values)
    path.write_bytes(gzip.compress(path.read_bytes()))


def write_zstd(path: Path, header: Sequence[str], values: Values) -> None:
    write_csv(path, header, values)
    path.write_bytes(zstd.compress(path.read_bytes()))


def write_jsonl(path: Path, header: Sequence[str], values: Values) -> None:
    lines = (json.dumps(dict(zip(header, row, strict=True))) for row in values)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_json(path: Path, header: Sequence[str], values: Values) -> None:
    records = [dict(zip(header, row, strict=True)) for row in values]
    path.write_text(json.dumps(records, indent=1), encoding="utf-8")


def write_parquet(path: Path, header: Sequence[str], values: Values) -> None:
    columns = ", ".join(f"{_q(c)} {'VARCHAR' if n else 'INTEGER'}" for n, c in enumerate(header))
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t ({columns})")
        db.executemany(f"INSERT INTO t VALUES ({','.join('?' * len(header))})", values)
        quoted = str(path).replace("'", "''")
        db.execute(f"COPY t TO '{quoted}' (FORMAT parquet, ROW_GROUP_SIZE 1000)")


def files(suffix: str, write: Write) -> Callable[[Path, str], str]:
    """Return what fills a folder with files."""

    def build(folder: Path, _: object) -> str:
        for name in NAMES:
            write(folder / f"{name}{suffix}", COLUMNS, _rows_of(name))
        write(folder / f"clients{suffix}", CLIENTS, clients())
        return str(folder)

    return build


def bucket(suffix: str, write: Write) -> Callable[[Path, Gateway], str]:
    """Return what fills a bucket with files."""

    def build(_: Path, gateway: Gateway) -> str:
        name = f"b{uuid.uuid4().hex[:8]}"
        (gateway.bucket(name) / "estate").mkdir()
        files(suffix, write)(gateway.bucket(name) / "estate", "")
        return gateway.url(f"{name}/estate")

    return build


ESTATES: dict[str, tuple[str, Callable[[Path, Any], str], str, str]] = {
    "sqlite": ("sqlite", sqlite, "", ""),
    "duckdb": ("duckdb", duck, "", ""),
    "postgresql": ("postgresql", postgres, "", "estate_db_url"),
    "mysql": ("mysql", mysql, "", "mariadb_server"),
    "csv": ("files", files(".csv", write_csv), ".csv", ""),
    "csv.gz": ("files", files(".csv.gz", write_gzip), ".csv.gz", ""),
    "csv.zst": ("files", files(".csv.zst", write_zstd), ".csv.zst", ""),
    "jsonl": ("files", files(".jsonl", write_jsonl), ".jsonl", ""),
    "json": ("files", files(".json", write_json), ".json", ""),
    "parquet": ("files", files(".parquet", write_parquet), ".parquet", ""),
    "s3 csv": ("s3", bucket(".csv", write_csv), ".csv", "s3_gateway"),
    "s3 csv.gz": ("s3", bucket(".csv.gz", write_gzip), ".csv.gz", "s3_gateway"),
    "s3 jsonl": ("s3", bucket(".jsonl", write_jsonl), ".jsonl", "s3_gateway"),
    "s3 json": ("s3", bucket(".json", write_json), ".json", "s3_gateway"),
    "s3 parquet": ("s3", bucket(".parquet", write_parquet), ".parquet", "s3_gateway"),
}
"""Kind of source, what builds it, what its assets' names end in, and the fixture it needs."""


def _clients(first: str, other: str) -> str:
    return ", ".join(f"{_q(c)} {other if n else first}" for n, c in enumerate(CLIENTS))


def _rows_of(name: str) -> list[tuple[Any, ...]]:
    return rows() if name == "people" else rows(3)


def _columns(first: str, other: str) -> str:
    return ", ".join(f"{_q(c)} {other if n else first}" for n, c in enumerate(COLUMNS))


def _q(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
