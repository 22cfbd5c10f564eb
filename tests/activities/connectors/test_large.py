"""Sources of a size that a scan must not feel: memory, time, and nothing given up."""

import sqlite3
from pathlib import Path

import duckdb
import psycopg
import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.connectors.protocol import Sample
from bench import sources
from racine.governance.data_sources import locations
from tests.mariadb import mariadb

LIMIT = 512 << 20
"""Bytes that a scanning process may hold at its peak."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def test_five_gigabytes_and_a_cell_of_one_are_read_in_bounded_memory(tmp_path: Path) -> None:
    found = sources.memory(tmp_path)
    assert found["csv_rows"] > 5_000_000
    assert found["csv_peak_mb"] < LIMIT >> 20
    assert (found["cell_rows"], found["cell_peak_mb"] < LIMIT >> 20) == (2, True)


def test_a_line_of_a_gigabyte_of_json_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as stream:
        stream.write(b'{"id": 1}\n{"id": "')
        for _ in range(1024):
            stream.write(b"x" * (1 << 20))
        stream.write(b'"}\n{"id": 3}\n')
    report, peak, _ = sources.scanned(str(path))
    assert report["assets"][0]["irregular"] == {"lines over 16 MB, left out": 1}
    assert report["totals"]["rows"] == 2
    assert peak < LIMIT


def test_a_huge_value_of_sqlite_is_left_out(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT)")
        db.execute("INSERT INTO t VALUES (1, 'a'), (2, zeroblob(900000000)), (3, 'c')")
    db.close()
    report, peak, _ = sources.scanned(f"sqlite:///{tmp_path / 'a.db'}")
    assert report["totals"]["rows"] == 2
    assert peak < LIMIT


def test_a_column_of_huge_values_of_parquet_is_left_out(tmp_path: Path) -> None:
    with duckdb.connect() as db:
        db.execute(
            f"COPY (SELECT range AS id, repeat('x', CASE range WHEN 5 THEN 1000000000 ELSE 9 END)"
            f" AS note FROM range(10)) TO '{tmp_path}/a.parquet' (ROW_GROUP_SIZE 5)"
        )
    (tmp_path / "b.csv").write_text("id\n1\n")
    report, peak, _ = sources.scanned(str(tmp_path))
    huge, small = report["assets"]
    assert (huge["rows"], small["rows"], report["errors"]) == (10, 1, [])
    assert huge["irregular"] == {"column note has values of many megabytes, left out": 1}
    assert peak < LIMIT


def test_huge_values_of_servers_are_cut_there(postgres_db_url: str) -> None:
    url = postgres_db_url.replace("+psycopg", "")
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE t AS SELECT 1 AS id, repeat('x', 500000000) AS note")
        db.execute("INSERT INTO t SELECT n, repeat('y', 100000) FROM generate_series(1, 3000) n")
    report, peak, _ = sources.scanned(url)
    assert report["totals"]["rows"] == 3001
    assert peak < LIMIT
    with mariadb("--max-allowed-packet=1G") as server:
        with server.connect() as my, my.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("CREATE TABLE shop.t (id INT, note LONGTEXT)")
            cursor.execute("INSERT INTO shop.t VALUES (1, repeat('x', 500000000))")
            cursor.execute(
                "INSERT INTO shop.t WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1"
                " FROM s WHERE n < 900) SELECT n, repeat('y', 100000) FROM s"
            )
        report, peak, _ = sources.scanned(server.url("shop"))
    assert report["totals"]["rows"] == 901
    assert peak < LIMIT


def test_the_metadata_of_twenty_thousand_tables_takes_no_five_minutes(tmp_path: Path) -> None:
    found = sources.tables(tmp_path)
    assert (found["tables"], found["tables_columns"]) == (20_000, 200_000)
    assert found["tables_seconds"] < 300


def test_a_hundred_thousand_empty_tables_are_listed_and_read(tmp_path: Path) -> None:
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as db:
        tables = "".join(f"CREATE TABLE t{n} (id INT, name TEXT);" for n in range(100_000))
        db.execute(f"BEGIN; {tables} COMMIT")
    connector = connect(locations.parse(str(path), "duckdb"), Boundary())
    listing = connector.discover()
    assert (len(listing.assets), listing.clean) == (100_000, True)
    tenth = listing.assets[::10]
    assert sum(b.rows for asset in tenth for b in connector.read(asset, Sample())) == 0
    connector.close()
