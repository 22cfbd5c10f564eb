"""How often assets were read, as their source counts it: it counts, or it says nothing."""

from contextlib import closing

import psycopg
import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from models.session import Database
from models.stores import scans
from racine.governance.data_sources import locations
from tests.activities.governing import CARDS
from tests.activities.test_scan_plans import Estate
from tests.mariadb import MariaDb, mariadb


def uses(location: str) -> dict[str, int | None]:
    with closing(connect(locations.parse(location), Boundary())) as connector:
        return {a.name.rpartition(".")[2]: a.uses for a in connector.discover().assets}


@pytest.fixture
def shop(postgres_db_url: str) -> str:
    """A database of a table that is read much, one that is read little, and one of cards."""
    url = postgres_db_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as db:
        for name in ("cards", "idle", "orders"):
            db.execute(f"CREATE TABLE {name} (id int PRIMARY KEY, card_number text)".encode())
        for n, card in enumerate(CARDS):
            db.execute("INSERT INTO cards VALUES (%s, %s)", (n, card))
        db.execute("INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 900) n")
        for _ in range(20):
            db.execute("SELECT count(*) FROM orders")
            db.execute("SELECT * FROM orders WHERE id = 7")
        db.execute("SELECT pg_stat_force_next_flush()")
    return url


def test_postgresql_counts_scans_of_tables_and_of_their_indexes(shop: str) -> None:
    found = uses(shop)
    made = 2  # making a table and its key looks into it
    assert 40 <= (found["orders"] or 0) <= 40 + made
    assert 0 <= (found["idle"] or 0) <= made


def test_a_postgresql_that_does_not_count_says_nothing(shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as db:
        name = db.info.dbname
        db.execute(f"ALTER DATABASE {name} SET track_counts = off".encode())
    assert set(uses(shop).values()) == {None}


def test_partitions_are_counted_together(postgres_db_url: str) -> None:
    url = postgres_db_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("CREATE TABLE s (day int) PARTITION BY RANGE (day)")
        for n in range(3):
            db.execute(
                f"CREATE TABLE s{n} PARTITION OF s FOR VALUES FROM ({n}) TO ({n + 1})".encode()
            )
        for _ in range(4):
            db.execute("SELECT count(*) FROM s")
        db.execute("SELECT pg_stat_force_next_flush()")
    assert uses(url) == {"s": 12}


def test_mariadb_counts_reading_statements_where_it_is_told_to(mariadb_server: MariaDb) -> None:
    with mariadb("--performance-schema=ON") as server:
        with server.connect() as db, db.cursor() as cursor:
            cursor.execute("CREATE DATABASE shop")
            cursor.execute("CREATE TABLE shop.idle (id INT)")
            cursor.execute("CREATE TABLE shop.orders (id INT)")
            for _ in range(7):
                cursor.execute("SELECT * FROM shop.orders")
            cursor.execute("CREATE USER reader@'127.0.0.1'")
            cursor.execute("GRANT SELECT, SHOW VIEW ON shop.* TO reader@'127.0.0.1'")
        found = uses(server.url("shop"))
        assert found["orders"] == 7
        assert not found["idle"]
        assert uses(server.url("shop", "reader")) == {"idle": None, "orders": None}
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE DATABASE uncounted")
        cursor.execute("CREATE TABLE uncounted.a (id INT)")
    assert uses(mariadb_server.url("uncounted")) == {"a": None}


def test_what_is_sensitive_is_read_first_and_then_what_is_used(
    sqlite_db: Database, shop: str
) -> None:
    estate = Estate(sqlite_db, shop, "postgresql", plan={"mode": "full"})
    assert waiting(sqlite_db, estate.discover()[1])[0] == "public.orders", "used, none yet labelled"
    estate.scan()
    _, second = estate.discover()
    assert waiting(sqlite_db, second) == ["public.cards", "public.orders", "public.idle"]
    orders = estate.assets(second)
    assert "restricted" in orders["public.cards"].plan["order"]
    assert any("used" in words for words in orders["public.orders"].plan["order"])
    assert not any("used 0" in words for words in orders["public.idle"].plan["order"])


def waiting(db: Database, scan_id: str) -> list[str]:
    with db.read() as session:
        return [asset.name for asset in scans.pending(session, scan_id)]
