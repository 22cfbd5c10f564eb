"""A source of very many tables, scanned by a run as any other."""

from pathlib import Path

import duckdb
import pytest

from tests.temporal.scans.platform import Platform

TABLES = 100_000


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_empty_tables_are_scanned_and_published(
    platform: Platform, tmp_path: Path
) -> None:
    path = tmp_path / "wide.duckdb"
    with duckdb.connect(str(path)) as db:
        tables = "".join(f"CREATE TABLE t{n} (id INT, name TEXT);" for n in range(TABLES))
        db.execute(f"BEGIN; {tables} COMMIT")
    platform.use_key()
    scan = platform.scan(platform.source("duckdb", str(path))).ended(seconds=3000)
    detail = scan.detail()
    assert detail is not None
    assert detail["state"] == "published"
    assert detail["totals"]["scanned"] == TABLES
    found = platform.get("/api/advanced-catalog/search", q=f"t{TABLES - 1}")["items"]
    assert found[0]["qualified_name"] == f"shop/t{TABLES - 1}"
