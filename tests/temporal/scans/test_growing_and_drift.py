"""Samples that grow where they cannot tell, and drift that one scan finds since another."""

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from models.tables.scans import Scan
from racine.governance.scan_logic.sampling import GROWTH
from tests.activities.connectors import estates
from tests.temporal.scans.platform import Platform

SAMPLE = 60


def mixed(path: Path, rows: int = 2000) -> Path:
    """Make a table of which some columns hold e-mail addresses in part, and one that is clear."""
    parts = range(2, 40)
    with sqlite3.connect(path) as db:
        columns = ", ".join(f"c{n} TEXT" for n in parts)
        db.execute(f"CREATE TABLE unclear (id INTEGER PRIMARY KEY, {columns})")
        db.executemany(
            f"INSERT INTO unclear VALUES (?{', ?' * len(parts)})",
            [
                (row, *(f"p{row}@example.org" if row * 7 % 40 < n else f"x{row}" for n in parts))
                for row in range(rows)
            ],
        )
        db.execute("CREATE TABLE clear (id INTEGER PRIMARY KEY, note TEXT)")
        db.executemany("INSERT INTO clear VALUES (?, 'x')", [(row,) for row in range(rows)])
    db.close()
    return path


def test_a_sample_that_leaves_a_type_near_its_limit_is_read_larger(
    platform: Platform, tmp_path: Path
) -> None:
    platform.rules(sample=SAMPLE)
    source = platform.source("sqlite", str(mixed(tmp_path / "shop.db")))
    scan = platform.scan(source).ended()
    unclear, clear = scan.assets()["unclear"], scan.assets()["clear"]
    grown = unclear["grown"]
    assert (grown["from_rows"], grown["to_rows"]) == (SAMPLE, SAMPLE * GROWTH)
    assert 0.9 * SAMPLE * GROWTH <= unclear["rows_read"] <= SAMPLE * GROWTH
    assert grown["columns"]
    near = [share for found in grown["columns"].values() for share in found.values()]
    assert 0.35 <= min(near) <= max(near) <= 0.7
    assert (clear["grown"], clear["rows_read"], clear["rows"]) == (None, SAMPLE, 2000)
    platform.rules(sample=SAMPLE, budget={"rows": SAMPLE + 10})
    bounded = platform.scan(source, mode="full").ended().assets()["unclear"]
    assert bounded["grown"]["to_rows"] == SAMPLE + 10, "never beyond the asset's budget"


def write(folder: Path, name: str, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Path:
    estates.write_csv(folder / name, header, rows)
    return folder / name


def aged(path: Path, hours: float) -> None:
    moment = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    os.utime(path, (moment, moment))


def test_all_that_changed_since_the_scan_before_is_told(platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    folder.mkdir()
    people = [(n, f"person{n}@example.org") for n in range(60)]
    write(folder, "contacts.csv", ("id", "contact"), people)
    write(folder, "orders.csv", ("id", "note"), [(n, "x") for n in range(40)])
    write(folder, "going.csv", ("id", "note"), [(n, "x") for n in range(9)])
    aged(write(folder, "ledger.csv", ("id", "note"), [(n, "x") for n in range(9)]), hours=49)
    aged(write(folder, "restored.csv", ("id", "note"), [(n, "x") for n in range(9)]), hours=5)
    source = platform.source("files", str(folder), name="lake")
    first = platform.scan(source).ended()
    with platform.stack.db.write() as session:  # as if two days had gone since
        earlier = datetime.now(UTC) - timedelta(hours=48)
        session.execute(update(Scan).where(Scan.id == first.id).values(created_at=earlier))
    write(folder, "contacts.csv", ("id", "contact"), [(n, f"ward {n}") for n in range(60)])
    write(folder, "orders.csv", ("id", "note", "city"), [(n, "x", "Graz") for n in range(120)])
    write(folder, "coming.csv", ("id", "note"), [(n, "x") for n in range(9)])
    (folder / "going.csv").unlink()
    aged(folder / "restored.csv", hours=50)
    second = platform.scan(source).ended()
    found = platform.get("/api/scan-logic/drift", scan_id=second.id, limit=200)["items"]
    told = {(e["aspect"], e["kind"], e["asset"], e["column"], e["subject"]) for e in found}
    assert told >= {
        ("schema", "asset_added", "coming.csv", "", ""),
        ("schema", "asset_removed", "going.csv", "", ""),
        ("schema", "column_added", "orders.csv", "city", ""),
        ("volume", "volume_changed", "orders.csv", "", ""),
        ("freshness", "stood_still", "ledger.csv", "", ""),
        ("freshness", "went_back", "restored.csv", "", ""),
        ("classification", "type_lost", "contacts.csv", "contact", "email"),
    }
    assert all(0 < event["magnitude"] <= 1 for event in found)
    (still,) = [event for event in found if event["kind"] == "stood_still"]
    assert still["before"] == still["after"]
    (volume,) = [event for event in found if event["aspect"] == "volume"]
    assert (volume["before"], volume["after"]) == ("40", "120")
    counts = (second.detail() or {})["drift"]["by_aspect"]
    assert counts == {
        aspect: sum(event["aspect"] == aspect for event in found)
        for aspect in ("schema", "volume", "freshness", "classification")
    }
    quiet = platform.scan(source).ended()
    again = platform.get("/api/scan-logic/drift", scan_id=quiet.id)["items"]
    assert again == [], "a scan of what is as it was tells nothing"
