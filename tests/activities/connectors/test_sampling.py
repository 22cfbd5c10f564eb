"""A sample of sorted data tells the truth about all of it, on every connector."""

import csv
import json
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import duckdb
import psycopg
import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.connectors.protocol import Sample
from activities.reading import read_asset
from racine.governance.data_sources import locations
from racine.governance.scan_rule_sets.rules import parse
from tests.mariadb import MariaDb
from tests.s3 import Gateway

ROWS, WANTED = 150_000, 1000
FILLER = "-" * 60
LAST = ROWS * 9 // 10
"""Where the last tenth begins: from there on, the filler is an address of mail as long as it."""

AT = f"@{'a' * 40}.org"
MAIL = f"concat('p', lpad(concat({{n}}), 14, '0'), '{AT}')"
SQL = f"CASE WHEN {{n}} < {LAST} THEN '{FILLER}' ELSE {MAIL} END"


def filler(n: int) -> str:
    return FILLER if n < LAST else f"p{n:014}{AT}"


def write_csv(path: Path) -> None:
    with path.open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["id", "filler"])
        lines.writerows((n, filler(n)) for n in range(ROWS))


def write_jsonl(path: Path) -> None:
    with path.open("w") as stream:
        stream.writelines(json.dumps({"id": n, "filler": filler(n)}) + "\n" for n in range(ROWS))


def write_parquet(path: Path) -> None:
    with duckdb.connect() as db:
        query = f"SELECT range AS id, {SQL.format(n='range')} AS filler FROM range({ROWS})"
        db.execute(f"COPY ({query}) TO '{path}' (ROW_GROUP_SIZE 10000)")


def in_folder(write: Callable[[Path], None], name: str) -> Callable[[Path, object], str]:
    def build(folder: Path, _: object) -> str:
        write(folder / name)
        return str(folder)

    return build


def in_bucket(write: Callable[[Path], None], name: str) -> Callable[[Path, Gateway], str]:
    def build(_: Path, gateway: Gateway) -> str:
        bucket = f"b{uuid.uuid4().hex[:8]}"
        write(gateway.bucket(bucket) / name)
        return gateway.url(bucket)

    return build


def sqlite(folder: Path, _: object) -> str:
    with sqlite3.connect(folder / "a.db") as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, filler TEXT)")
        db.executemany("INSERT INTO t VALUES (?, ?)", ((n, filler(n)) for n in range(ROWS)))
    db.close()
    return f"sqlite:///{folder / 'a.db'}"


def duck(folder: Path, _: object) -> str:
    with duckdb.connect(str(folder / "a.duckdb")) as db:
        made = f"SELECT range AS id, {SQL.format(n='range')} AS f FROM range({ROWS})"
        db.execute(f"CREATE TABLE t AS {made}")
    return f"duckdb:///{folder / 'a.duckdb'}"


def postgres(_: Path, url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as db:
        db.execute(
            f"CREATE TABLE t AS SELECT n AS id, {SQL.format(n='n')} AS filler"
            f" FROM generate_series(0, {ROWS - 1}) AS n".encode()
        )
        db.execute("ANALYZE t")
    return url


def mysql(key: str) -> Callable[[Path, MariaDb], str]:
    def build(_: Path, server: MariaDb) -> str:
        name = f"s{uuid.uuid4().hex[:8]}"
        with server.connect() as db, db.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute(f"SET max_recursive_iterations = {ROWS}")
            cursor.execute(
                f"CREATE TABLE {name}.t (id INT {key}, filler TEXT) AS WITH RECURSIVE s (id) AS"
                f" (SELECT 0 UNION ALL SELECT id + 1 FROM s WHERE id < {ROWS - 1})"
                f" SELECT id, {SQL.format(n='id')} AS filler FROM s"
            )
            cursor.execute(f"ANALYZE TABLE {name}.t")
        return server.url(name)

    return build


SOURCES: dict[str, tuple[Callable[[Path, Any], str], str]] = {
    "csv": (in_folder(write_csv, "a.csv"), ""),
    "jsonl": (in_folder(write_jsonl, "a.jsonl"), ""),
    "parquet": (in_folder(write_parquet, "a.parquet"), ""),
    "s3 csv": (in_bucket(write_csv, "a.csv"), "s3_gateway"),
    "s3 parquet": (in_bucket(write_parquet, "a.parquet"), "s3_gateway"),
    "sqlite": (sqlite, ""),
    "duckdb": (duck, ""),
    "postgresql": (postgres, "postgres_db_url"),
    "mysql": (mysql("PRIMARY KEY"), "mariadb_server"),
    "mysql without key": (mysql(""), "mariadb_server"),
}


@pytest.mark.parametrize("source", list(SOURCES))
def test_a_sample_of_sorted_data_is_spread_over_it(
    request: pytest.FixtureRequest, tmp_path: Path, source: str
) -> None:
    build, fixture = SOURCES[source]
    given = request.getfixturevalue(fixture) if fixture else ""
    connector = connect(locations.parse(build(tmp_path, given)), Boundary())
    (asset,) = connector.discover().assets
    found = [
        int(value or 0) for b in connector.read(asset, Sample(WANTED)) for value in b.columns[0]
    ]
    facts = read_asset(connector, asset, parse({"sample": WANTED}))
    connector.close()
    assert 0.9 * WANTED <= len(found) <= 1.1 * WANTED
    assert len(set(found)) == len(found)
    tenths = [sum(n * 10 // ROWS == tenth for n in found) for tenth in range(10)]
    assert min(tenths) > 50
    assert facts.evidence[1].hits.get("email", 0) > 50, "a type of the last tenth alone is seen"
    # The mean of an even draw strays by 4,300 / sqrt(50 blocks) at most thrice in a thousand.
    assert abs(mean(found) - ROWS / 2) < 3 * ROWS / 12**0.5 / 50**0.5
