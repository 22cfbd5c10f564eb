"""The demo's data: the same for the same seed, large enough, and as awkward as it says."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from stdnum import iban, luhn
from stdnum.es import dni

from local.estate import Estate, make_estate
from local.estate.shop import truncate_cards

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    return make_estate(tmp_path_factory.mktemp("estate") / "estate")


def test_the_same_seed_gives_the_same_content(estate: Estate, tmp_path: Path) -> None:
    assert _digest(make_estate(tmp_path / "again")) == _digest(estate)
    assert _digest(make_estate(tmp_path / "other", seed=1)) != _digest(estate)


def test_the_shop_is_large_and_one_table_is_empty(estate: Estate) -> None:
    counts = {name: len(rows) for name, rows in _tables(estate.shop)}
    assert len(counts) >= 12
    assert sum(counts.values()) >= 100_000
    assert [name for name, count in counts.items() if not count] == ["newsletter_queue"]


def test_its_references_hold(estate: Estate) -> None:
    with sqlite3.connect(estate.shop) as db:
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


def test_its_personal_numbers_pass_their_checks(estate: Estate) -> None:
    with sqlite3.connect(estate.shop) as db:
        cards = db.execute("SELECT card_number FROM payments WHERE method = 'card'").fetchall()
        accounts = db.execute("SELECT iban FROM refunds").fetchall()
    assert all(luhn.is_valid(number) for (number,) in cards)
    assert all(iban.is_valid(number) for (number,) in accounts)
    people = duckdb.execute(f"SELECT DNI FROM read_csv('{estate.files}/hr_export.csv', delim=';')")
    assert all(dni.is_valid(number) for (number,) in people.fetchall())


def test_one_file_cannot_be_read_and_the_rest_can(estate: Estate) -> None:
    with pytest.raises(duckdb.Error):
        duckdb.execute(f"FROM '{estate.files}/stock_snapshot.parquet'").fetchall()
    events = duckdb.execute(
        f"SELECT month, count(*) FROM '{estate.files}/events/**/*.parquet' GROUP BY 1"
    )
    assert dict(events.fetchall()) == dict.fromkeys(range(1, 7), 5_000)


def test_truncating_the_cards_leaves_no_number_and_no_code(estate: Estate, tmp_path: Path) -> None:
    shop = tmp_path / "shop.db"
    shop.write_bytes(estate.shop.read_bytes())
    changed = truncate_cards(shop)
    with sqlite3.connect(shop) as db:
        rows = db.execute("SELECT card_number, cvv FROM payments WHERE method = 'card'").fetchall()
    assert len(rows) == changed
    assert {cvv for _, cvv in rows} == {None}
    assert all(number[6:12] == "******" and len(number) == 16 for number, _ in rows)


def _tables(shop: Path) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    with sqlite3.connect(shop) as db:
        names = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        for (name,) in names.fetchall():
            quoted = '"' + name.replace('"', '""') + '"'
            yield name, db.execute(f"SELECT * FROM {quoted} ORDER BY 1").fetchall()


def _digest(estate: Estate) -> str:
    """Hash the values, not the files: SQLite and Parquet pages may differ with the library."""
    content = hashlib.sha256()
    for name, rows in _tables(estate.shop):
        content.update(repr((name, rows)).encode())
    for path in sorted(estate.files.glob("*.*")):
        content.update(path.read_bytes())
    events = duckdb.execute(f"FROM '{estate.files}/events/**/*.parquet' ORDER BY event_id")
    content.update(repr(events.fetchall()).encode())
    return content.hexdigest()
