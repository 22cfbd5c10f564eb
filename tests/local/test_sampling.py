"""A sample spans the table: what its first rows lack is still found."""

import csv
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.scan import scan_once
from racine.governance.scan_rule_sets.rules import SYSTEM

ROWS, EMPTY = 40_000, 30_000


def people(filler: str = "") -> Iterator[tuple[int, str | None, str]]:
    """Rows whose e-mail address is missing in the first three quarters."""
    for n in range(ROWS):
        yield n, f"person{n}@example.org" if n >= EMPTY else None, filler


def write_csv(path: Path, filler: str) -> Path:
    with path.open("w", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(["id", "contact", "filler"])
        lines.writerows(people(filler))
    return path


def write_sqlite(path: Path) -> Path:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE people (id INTEGER PRIMARY KEY, contact TEXT, filler TEXT)")
        db.executemany("INSERT INTO people VALUES (?, ?, ?)", people())
    db.close()
    return path


@pytest.mark.parametrize("kind", ["small csv", "large csv", "sqlite"])
def test_a_column_empty_in_its_first_rows_is_classified(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        source = write_sqlite(tmp_path / "people.db")
    else:
        source = write_csv(tmp_path / "people.csv", "-" * 300 if kind == "large csv" else "-")
    (table,) = scan_once(str(source), SYSTEM)["assets"]
    assert table["rows_read"] < EMPTY, "the sample is smaller than the empty stretch"
    contact = table["columns"][1]
    assert [found["kind"] for found in contact["classifications"]] == ["email"]
    assert 0 < contact["nulls"] < table["rows_read"]
