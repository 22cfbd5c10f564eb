"""Assets tell that they changed, and partitions which of them did."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg
import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.connectors.protocol import Asset, Sample
from racine.errors import InvalidInput
from racine.governance.data_sources import locations
from tests.mariadb import MariaDb


def listed(location: str) -> dict[str, Asset]:
    with closing(connect(locations.parse(location), Boundary())) as connector:
        return {asset.name: asset for asset in connector.discover().assets}


def rows(location: str, asset: Asset, sample: int | None = None) -> list[tuple[str | None, ...]]:
    with closing(connect(locations.parse(location), Boundary())) as connector:
        return [
            row
            for batch in connector.read(asset, Sample(sample))
            for row in zip(*batch.columns, strict=True)
        ]


def changed(location: str, name: str, before: Asset) -> Asset:
    """Wait until an asset tells, with another fingerprint, that it changed."""
    deadline = time.monotonic() + 30
    while True:
        found = listed(location)[name]
        if found.fingerprint not in ("", before.fingerprint):
            return found
        assert time.monotonic() < deadline, f"{name} has not changed"
        time.sleep(0.1)


def test_tables_of_postgresql(postgres_db_url: str) -> None:
    url = postgres_db_url.replace("+psycopg", "")
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE a AS SELECT 1 AS id")
        db.execute("CREATE TABLE b AS SELECT 1 AS id")
        db.execute("CREATE VIEW v AS SELECT id FROM a")
    settled = changed(url, "public.a", listed(url)["public.b"])
    with psycopg.connect(url) as db:
        db.execute("UPDATE a SET id = 2")
    after = changed(url, "public.a", settled)
    assert after.schema == settled.schema
    with psycopg.connect(url) as db:
        db.execute("ALTER TABLE a ADD COLUMN name text")
    assert changed(url, "public.a", after).schema != after.schema
    assert listed(url)["public.v"].fingerprint == ""


def test_partitions_of_postgresql_are_parts_of_their_table(postgres_db_url: str) -> None:
    url = postgres_db_url.replace("+psycopg", "")
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE s (id int, day int) PARTITION BY RANGE (day)")
        for n in range(4):
            bounds = f"FOR VALUES FROM ({n}) TO ({n + 1})"
            db.execute(f'CREATE TABLE "s.{n}" PARTITION OF s {bounds}'.encode())
        db.execute("INSERT INTO s SELECT n, n % 4 FROM generate_series(0, 999) AS n")
        db.execute("ANALYZE")
    (asset,) = listed(url).values()
    assert (asset.name, asset.rows) == ("public.s", 1000)
    assert [part.name for part in asset.parts] == [f'public."s.{n}"' for n in range(4)]
    assert len(set(rows(url, asset))) == 1000
    with closing(connect(locations.parse(url), Boundary())) as connector:
        batches = list(connector.read(asset, Sample()))
        rest = connector.read(asset, Sample(), batches[1].position)
        assert sum(batch.rows for batch in rest) == 500
    with psycopg.connect(url) as db:
        db.execute("INSERT INTO s VALUES (5000, 2)")
    after = changed(url, "public.s", asset)
    part = after.only(set(after.parts) - set(asset.parts))
    assert {row[1] for row in rows(url, part)} == {"2"}
    assert len(rows(url, part)) == 251
    assert {row[1] for row in rows(url, part, sample=20)} == {"2"}
    assert len(rows(url, asset, sample=100)) == 100


def test_tables_of_mariadb(mariadb_server: MariaDb) -> None:
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE DATABASE changes")
        cursor.execute("CREATE TABLE changes.a (id INT)")
        cursor.execute("INSERT INTO changes.a VALUES (1)")
    url = mariadb_server.url("changes")
    fresh = listed(url)["changes.a"]
    assert fresh.fingerprint == "", "another write in the same second would not show"
    settled = changed(url, "changes.a", fresh)
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("INSERT INTO changes.a VALUES (2)")
    assert changed(url, "changes.a", settled).modified is not None


def test_database_files(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA journal_mode = wal; CREATE TABLE t (id)")
        before = listed(f"sqlite:///{path}")["t"]
        db.execute("INSERT INTO t VALUES (1)")
        db.commit()
        changed(f"sqlite:///{path}", "t", before)
    path = tmp_path / "a.duckdb"
    with duckdb.connect(str(path)) as duck:
        duck.execute("CREATE TABLE t (id INT)")
    before = listed(f"duckdb:///{path}")["t"]
    with duckdb.connect(str(path)) as duck:
        duck.execute("INSERT INTO t VALUES (1)")
    changed(f"duckdb:///{path}", "t", before)


def test_the_parts_of_a_buckets_location() -> None:
    at = locations.parse("s3://AK%2FX:se%2Fcret@my-bucket/a/b%20c?region=eu-west-1")
    assert (at.user, at.password, at.database, at.path) == ("AK/X", "se/cret", "my-bucket", "a/b c")
    assert (at.endpoint, at.host, at.port) == (
        "https://s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", 443,
    )  # fmt: skip
    assert str(at) == "s3://AK%2FX@my-bucket/a/b%20c?region=eu-west-1"
    assert locations.parse(str(at)) == locations.parse(
        "s3://AK%2FX@my-bucket/a/b c?region=eu-west-1"
    )


@pytest.mark.parametrize(
    "location",
    [
        "s3://",
        "s3://bucket?endpoint=ftp://host",
        "s3://bucket?endpoint=http://u:p@host",
        "s3://bucket?endpoint=http://host/path",
        "s3://bucket?region=../x",
        "s3://bucket?colour=red",
        "s3://bucket?endpoint=http://host:port",
    ],
)
def test_locations_of_buckets_that_cannot_be_used(location: str) -> None:
    with pytest.raises(InvalidInput, match=r"The (region of the )?s3:// URL"):
        locations.parse(location)
