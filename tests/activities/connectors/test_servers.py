"""Servers that hang, drop, refuse, and are told to stop."""

import gc
import json
import socket
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg
import pytest

from activities.connectors.boundary import Boundary
from activities.connectors.opening import connect
from activities.connectors.protocol import Asset, Connector, Position, Sample
from racine.errors import InvalidInput, SourceFault, Unavailable
from racine.governance.data_sources import locations
from tests.eventually import eventually
from tests.mariadb import MariaDb
from tests.s3 import Gateway, gateway


def opened(location: str) -> Connector:
    return connect(locations.parse(location), Boundary())


def rows_after(location: str, wanted: Asset, position: Position | None) -> int:
    """Read the rest of an asset over a new connection."""
    with closing(opened(location)) as connector:
        return sum(batch.rows for batch in connector.read(wanted, Sample(), position))


def asset(connector: Connector, name: str) -> Asset:
    return next(a for a in connector.discover().assets if a.name.endswith(name))


@pytest.fixture
def shop(mariadb_server: MariaDb) -> Iterator[str]:
    """The URL of a MariaDB database with a table of 50,000 rows and a view that takes a minute."""
    name = "shop"
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"CREATE OR REPLACE DATABASE {name}")
        cursor.execute("SET max_recursive_iterations = 100000")
        cursor.execute(
            f"CREATE TABLE {name}.orders (id INT PRIMARY KEY AUTO_INCREMENT, note TEXT) AS"
            " WITH RECURSIVE s (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM s WHERE id < 50000)"
            " SELECT id, concat('note ', id) AS note FROM s"
        )
        cursor.execute(f"CREATE VIEW {name}.slow AS SELECT sleep(60) AS n")
        cursor.execute(f"ANALYZE TABLE {name}.orders")
    yield mariadb_server.url(name)
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def slow_view(postgres_db_url: str) -> str:
    url = postgres_db_url.replace("+psycopg", "")
    with psycopg.connect(url) as db:
        db.execute("CREATE VIEW slow AS SELECT pg_sleep(60)::text AS n")
        db.execute("CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 200000) AS n")
        db.execute("ANALYZE orders")
    return url


def statements_of_mariadb(server: MariaDb) -> list[str]:
    with server.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT info FROM information_schema.processlist WHERE info LIKE '%slow%'")
        return [row[0] for row in cursor.fetchall() if "processlist" not in row[0]]


def statements_of_postgres(url: str) -> list[str]:
    with psycopg.connect(url) as db:
        rows = db.execute(
            "SELECT query FROM pg_stat_activity WHERE state = 'active'"
            " AND application_name = 'racine' AND query LIKE 'FETCH%'"
        )
        return [row[0] for row in rows]


@contextmanager
def reading(connector: Connector, wanted: Asset) -> Iterator[list[BaseException]]:
    """Read in a thread until it ends; yield what it raised."""
    raised: list[BaseException] = []

    def work() -> None:
        try:
            list(connector.read(wanted, Sample()))
        except SourceFault as fault:
            raised.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    yield raised
    thread.join(30)
    assert not thread.is_alive()


def test_a_cancelled_read_stops_the_statement_on_mariadb(
    mariadb_server: MariaDb, shop: str
) -> None:
    with closing(opened(shop)) as connector:
        with reading(connector, asset(connector, "slow")) as raised:
            eventually(lambda: statements_of_mariadb(mariadb_server) != [], "it runs")
            began = time.monotonic()
            connector.cancel()
            eventually(lambda: not statements_of_mariadb(mariadb_server), "it was stopped")
        assert time.monotonic() - began < 5
        assert "cancelled" in str(raised[0])


def test_a_cancelled_read_stops_the_statement_on_postgresql(slow_view: str) -> None:
    with closing(opened(slow_view)) as connector:
        with reading(connector, asset(connector, "slow")) as raised:
            eventually(lambda: statements_of_postgres(slow_view) != [], "it runs")
            began = time.monotonic()
            connector.cancel()
            eventually(lambda: not statements_of_postgres(slow_view), "it was stopped")
        assert time.monotonic() - began < 5
        assert "cancelled" in str(raised[0])


def test_a_connection_killed_on_mariadb_can_be_gone_on_from(
    mariadb_server: MariaDb, shop: str
) -> None:
    connector = opened(shop)
    orders = asset(connector, "orders")
    batches = connector.read(orders, Sample())
    first = next(batches)
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = 'shop'")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")
    with pytest.raises(Unavailable, match="connection was"):
        list(batches)
    connector.close()
    assert first.rows + rows_after(shop, orders, first.position) == 50_000


def test_a_connection_killed_on_postgresql_can_be_gone_on_from(slow_view: str) -> None:
    connector = opened(slow_view)
    orders = asset(connector, "orders")
    batches = connector.read(orders, Sample())
    read, position = 0, None
    while position is None:
        batch = next(batches)
        read, position = read + batch.rows, batch.position
    with psycopg.connect(slow_view, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'racine'"
        )
    with pytest.raises(Unavailable):
        list(batches)
    connector.close()
    assert read + rows_after(slow_view, orders, position) == 200_000


def test_a_read_that_is_given_up_on_a_dropped_connection_leaves_no_cursor(slow_view: str) -> None:
    connector = opened(slow_view)
    batches = connector.read(asset(connector, "orders"), Sample())
    next(batches)
    with psycopg.connect(slow_view, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE application_name = 'racine'"
        )
    assert isinstance(batches, Generator)
    batches.close()
    connector.close()
    del batches, connector
    gc.collect()  # a cursor left open warns here, and a warning fails the test


def test_credentials_that_expire_in_mid_scan_are_replaced(s3_gateway: Gateway) -> None:
    folder = s3_gateway.bucket("expiring")
    (folder / "a.csv").write_text("id,note\n" + "".join(f"{n},{'x' * 90}\n" for n in range(90_000)))
    s3_gateway.admin("create-user", "--access", "u", "--secret", "old", "--role", "admin")
    connector = opened(s3_gateway.url("expiring", "u", "old"))
    (listed,) = connector.discover().assets
    batches = connector.read(listed, Sample())
    first = next(batches)
    s3_gateway.admin("update-user", "--access", "u", "--secret", "new")
    with pytest.raises(Unavailable, match="credentials have expired or were withdrawn") as caught:
        list(batches)
    assert "old" not in str(caught.value)
    renewed = s3_gateway.url("expiring", "u", "new")
    assert first.rows + rows_after(renewed, listed, first.position) == 90_000


def test_an_object_that_changes_while_it_is_read_is_told(s3_gateway: Gateway) -> None:
    import duckdb

    folder = s3_gateway.bucket("changing")
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT range AS id FROM range(90000)) TO '{folder}/a.parquet'")
    connector = opened(s3_gateway.url("changing"))
    (listed,) = connector.discover().assets
    (folder / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceFault, match=r"a\.parquet"):
        list(opened(s3_gateway.url("changing")).read(listed, Sample()))


def test_a_store_that_drops_is_unavailable() -> None:
    with gateway() as server:
        folder = server.bucket("falling")
        text = "id,note\n" + "".join(f"{n},{'x' * 90}\n" for n in range(90_000))
        (folder / "a.csv").write_text(text)
        connector = opened(server.url("falling"))
        (listed,) = connector.discover().assets
        batches = connector.read(listed, Sample())
        next(batches)
        server.process.kill()
        server.process.wait()
        with pytest.raises(Unavailable, match="does not answer"):
            list(batches)


def test_a_session_token_comes_as_a_json_credential() -> None:
    at = locations.parse("s3://bucket/p").with_password(
        json.dumps({"AccessKeyId": "k", "SecretAccessKey": "s", "SessionToken": "t"})
    )
    assert connect(at, Boundary()) is not None
    for secret in ("{", '{"access_key_id": "k"}', "secret alone"):
        with pytest.raises(InvalidInput) as caught:
            connect(locations.parse("s3://bucket/p").with_password(secret), Boundary())
        assert "secret alone" not in str(caught.value)


@pytest.mark.parametrize("host", ["169.254.169.254", "127.0.0.1"])
def test_an_endpoint_no_source_may_have_is_refused(host: str) -> None:
    at = locations.parse(f"s3://bucket?endpoint=http://{host}:1")
    with pytest.raises(SourceFault, match=r"link-local|this machine"):
        connect(at, Boundary(loopback=False)).discover()
    at = locations.parse(f"mysql://u@{host}/d")
    with pytest.raises(SourceFault, match=r"link-local|this machine"):
        connect(at, Boundary(loopback=False)).discover()


def test_tls_that_is_demanded_and_not_had_is_refused(shop: str) -> None:
    with pytest.raises(SourceFault, match="TLS"):
        opened(f"{shop}?sslmode=verify-full").discover()
    with pytest.raises(SourceFault, match="cannot be read"):
        opened(f"{shop}?sslmode=verify-ca&sslrootcert=/no/such.pem").discover()


def test_what_a_user_of_mariadb_may_not_read_is_told(mariadb_server: MariaDb, shop: str) -> None:
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("CREATE USER poor@'127.0.0.1'")
        cursor.execute("GRANT INSERT ON shop.orders TO poor@'127.0.0.1'")
    url = mariadb_server.url("shop", "poor")
    with closing(opened(url)) as connector:
        last = list(connector.check())[-1]
    assert (last.step, last.ok) == ("read", False)
    assert "GRANT SELECT" in last.next_step
    with closing(opened(shop)) as connector:
        orders = asset(connector, "orders")
    with closing(opened(url)) as connector, pytest.raises(SourceFault, match="may not read"):
        list(connector.read(orders, Sample()))
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("DROP USER poor@'127.0.0.1'")


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_servers_that_never_answer_are_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        urls = (
            f"postgresql://u@127.0.0.1:{port}/d",
            f"mysql://u@127.0.0.1:{port}/d",
            f"s3://bucket?endpoint=http%3A%2F%2F127.0.0.1%3A{port}",
        )

        def attempt(url: str) -> str:
            with pytest.raises((SourceFault, Unavailable)) as caught:
                opened(url).discover()
            return str(caught.value)

        with ThreadPoolExecutor(len(urls)) as pool:
            told = list(pool.map(attempt, urls, timeout=90))
    assert all("127.0.0.1" in text for text in told)
