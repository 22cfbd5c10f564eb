"""Servers and buckets as governed sources: credentials by reference, replaced in mid-scan."""

from pathlib import Path

import pytest

from models.session import Database
from models.stores import scans
from racine.errors import Unavailable
from tests.activities.connectors import estates
from tests.activities.worlds import world
from tests.mariadb import MariaDb
from tests.s3 import Gateway


def test_a_mariadb_source_is_tested_discovered_and_scanned(
    sqlite_db: Database, tmp_path: Path, mariadb_server: MariaDb
) -> None:
    location = estates.mysql(tmp_path, mariadb_server)
    with mariadb_server.connect() as db, db.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY 'canary-77'")
        cursor.execute("GRANT SELECT, SHOW VIEW ON *.* TO reader@'127.0.0.1'")
    secret = tmp_path / "secret"
    secret.write_text("canary-77\n")
    run = world(sqlite_db)
    source = run.do(
        "data_sources.register", name="shop", kind="mysql", credential=f"file:{secret}",
        location=location.replace("root@", "reader@"),
    )  # fmt: skip
    tested = run.do("data_sources.test", source_id=source.source_id)
    assert [step.step for step in tested.steps] == ["resolve", "connect", "login", "list", "read"]
    found = run.do("data_sources.discover", source_id=source.source_id)
    result = run.do("scan_logic.scan", scan_id=found.scan_id)
    assert (result.errors, result.assets) == (0, len(estates.NAMES) + 4)


def test_a_scan_goes_on_with_credentials_that_replace_expired_ones(
    sqlite_db: Database, tmp_path: Path, s3_gateway: Gateway
) -> None:
    folder = s3_gateway.bucket("renewed")
    for name in ("ann", "bob", "cyd", "dan"):
        estates.write_csv(folder / f"{name}.csv", estates.CLIENTS, estates.clients(40))
    s3_gateway.admin("create-user", "--access", "renewed", "--secret", "one", "--role", "admin")
    secret = tmp_path / "secret"
    secret.write_text("one")
    run = world(sqlite_db)
    location = s3_gateway.url("renewed").replace("root-key:root-secret@", "renewed@")
    source = run.do(
        "data_sources.register", name="lake", kind="s3", location=location,
        credential=f"file:{secret}",
    )  # fmt: skip
    run.do("data_sources.test", source_id=source.source_id)
    found = run.do("data_sources.discover", source_id=source.source_id)

    def expire(*details: object) -> None:
        if details:  # an asset is read
            s3_gateway.admin("update-user", "--access", "renewed", "--secret", "two")

    with pytest.raises(Unavailable, match="credentials have expired or were withdrawn"):
        run.attempt(1, expire).do("scan_logic.scan", scan_id=found.scan_id)
    with sqlite_db.read() as session:
        assert scans.totals(session, found.scan_id)["failed"] == 0
    secret.write_text("two")
    result = run.attempt(2).do("scan_logic.scan", scan_id=found.scan_id)
    assert (result.assets, result.rows, result.errors) == (4, 160, 0)
