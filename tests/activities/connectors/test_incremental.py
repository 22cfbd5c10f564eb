"""What a later scan of each kind of database, or of a bucket, reads again."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg
import pytest

from models.session import Database
from models.stores import asset_states, scans
from tests.activities.connectors import estates
from tests.activities.test_scan_plans import Estate
from tests.mariadb import MariaDb
from tests.s3 import Gateway

Run = Callable[[str], None]
"""Runs one statement in the source."""


@pytest.fixture(params=["sqlite", "duckdb", "postgresql", "mysql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, Run]]:
    """The kind and location of an empty database, and what runs a statement in it."""
    kind, path = request.param, tmp_path / f"shop.{request.param}"
    if kind == "sqlite":
        yield kind, str(path), _sqlite(path)
    elif kind == "duckdb":
        yield kind, str(path), _duckdb(path)
    elif kind == "postgresql":
        url = str(request.getfixturevalue("postgres_db_url")).replace("+psycopg", "")
        yield kind, url, _postgresql(url)
    else:
        with _mysql(request.getfixturevalue("mariadb_server")) as (url, run):
            yield kind, url, run


def _sqlite(path: Path) -> Run:
    def run(statement: str) -> None:
        with sqlite3.connect(path) as db:
            db.execute(statement)
        db.close()

    return run


def _duckdb(path: Path) -> Run:
    def run(statement: str) -> None:
        with duckdb.connect(str(path)) as db:
            db.execute(statement)

    return run


def _postgresql(url: str) -> Run:
    def run(statement: str) -> None:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute(statement.encode())
            db.execute("SELECT pg_stat_force_next_flush()")

    return run


@contextmanager
def _mysql(server: MariaDb) -> Iterator[tuple[str, Run]]:
    name = f"inc_{uuid.uuid4().hex[:8]}"

    def run(statement: str) -> None:
        with server.connect(None if "DATABASE" in statement else name) as db, db.cursor() as cursor:
            cursor.execute(statement)

    run(f"CREATE DATABASE {name}")
    yield server.url(name), run
    run(f"DROP DATABASE {name}")


def orders(first: int, last: int) -> str:
    rows = ", ".join(
        f"({n}, 'person{n}@example.org', '2026-01-{1 + n // 1000:02d} 10:{n // 60 % 60:02d}:"
        f"{n % 60:02d}')"
        for n in range(first, last)
    )
    return f"INSERT INTO orders VALUES {rows}"


@pytest.mark.parametrize("watermark", ["id", "updated"])
def test_a_watermark_reads_only_newer_rows_of_each_database(
    sqlite_db: Database, source: tuple[str, str, Run], watermark: str
) -> None:
    kind, location, run = source
    run("CREATE TABLE orders (id INT, email VARCHAR(50), updated TIMESTAMP)")
    run(orders(0, 3000))
    plan = {"mode": "watermark", "watermark": watermark}
    estate = Estate(sqlite_db, location, kind, sample="all", plan=plan)
    (asset,) = estate.assets(estate.scan()).values()
    assert (asset.rows, asset.rows_read) == (3000, 3000)
    run(orders(3000, 4200))
    second = estate.scan()
    (asset,) = estate.assets(second).values()
    assert asset.plan["why"] == f"Only rows with a greater {watermark}."
    assert (asset.rows, asset.rows_read) == (4200, 4200)
    with sqlite_db.read() as session:
        assert scans.get(session, second).settings["spent"]["rows"] == 1200
        (state,) = asset_states.of_source(session, estate.source_id).values()
    newest = "4199" if watermark == "id" else "2026-01-05 10:09:59"
    assert (state.watermark["column"], state.watermark["value"]) == (watermark, newest)
    kinds = {name: [k["kind"] for k in found] for _, name, *_, found in estate.columns(second)}
    assert kinds["email"] == ["email"]


def test_other_columns_alone_are_read_by_a_plan_of_schemas(
    sqlite_db: Database, source: tuple[str, str, Run]
) -> None:
    kind, location, run = source
    for name in ("orders", "people"):
        run(f"CREATE TABLE {name} (id INT, email VARCHAR(50), updated TIMESTAMP)")
    run(orders(0, 30))
    estate = Estate(sqlite_db, location, kind, plan={"mode": "schema"})
    estate.scan()
    run(orders(30, 90))
    run("ALTER TABLE people ADD COLUMN city VARCHAR(20)")
    assert [name.rpartition(".")[2] for name in estate.read(estate.scan())] == ["people"]


def test_changed_objects_of_a_bucket_alone_are_read(
    sqlite_db: Database, tmp_path: Path, s3_gateway: Gateway
) -> None:
    folder = s3_gateway.bucket("changing-objects")
    for name in ("ann", "bob"):
        estates.write_csv(folder / f"{name}.csv", estates.CLIENTS, estates.clients(40))
    (tmp_path / "secret").write_text("root-secret")
    location = s3_gateway.url("changing-objects").replace(":root-secret@", "@")
    estate = Estate(sqlite_db, location, "s3", credential=f"file:{tmp_path}/secret")
    assert estate.read(estate.scan()) == ["ann.csv", "bob.csv"]
    assert estate.read(estate.scan()) == []
    estates.write_csv(folder / "bob.csv", estates.CLIENTS, estates.clients(50))
    estates.write_csv(folder / "cyd.csv", estates.CLIENTS, estates.clients(20))
    assert estate.read(estate.scan()) == ["bob.csv", "cyd.csv"]
