"""The operations of scans, on both engines."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from models.session import Database
from models.stores import rule_sets, scans, sources
from models.tables.scans import DriftEvent, ScanProgress
from racine.errors import Conflict
from tests.activities.worlds import World, shop, world


class Killed(BaseException):
    """Stands for the end of the process in mid-scan."""


def discovered(
    run: World, location: Path, kind: str = "sqlite", **rules: object
) -> tuple[str, str]:
    """Register a source and discover it by rules that its workspace has as its default."""
    if rules:
        with run.call.db.write() as session:
            rule_sets.save(session, run.call.context.workspace_id, "default", rules, "usr_1")
    source = run.do("data_sources.register", name="shop", kind=kind, location=str(location))
    run.do("data_sources.test", source_id=source.source_id)
    found = run.do("data_sources.discover", source_id=source.source_id)
    return source.source_id, found.scan_id


def facts(db: Database, scan_id: str) -> list[tuple[object, ...]]:
    """Return everything a scan found, in a form to compare."""
    with db.read() as session:
        ids = [asset.id for asset in scans.assets(session, scan_id)]
        return [
            (a.name, a.state, a.rows, a.rows_read, c.name, c.type, c.profile, c.evidence)
            for a, columns in scans.assets_of(session, ids)
            for c in columns
        ]


def test_a_scan_that_was_killed_goes_on_with_the_same_result(db: Database, tmp_path: Path) -> None:
    run = world(db)
    location = shop(tmp_path / "shop.db", tables=5)
    _, scan_id = discovered(run, location)
    beats = 0

    def die(*details: object) -> None:
        nonlocal beats
        beats += bool(details)  # an asset is read
        if beats == 2:
            raise Killed

    with pytest.raises(Killed):
        run.attempt(1, die).do("scan_logic.scan", scan_id=scan_id)
    with db.read() as session:
        assert scans.totals(session, scan_id)["pending"] == 3
    result = run.attempt(2).do("scan_logic.scan", scan_id=scan_id)
    assert (result.assets, result.rows) == (5, 250)
    undisturbed = run.next_run()
    again = undisturbed.do("data_sources.discover", source_id=_source(db, scan_id), mode="full")
    other = again.scan_id
    undisturbed.do("scan_logic.scan", scan_id=other)
    assert facts(db, scan_id) == facts(db, other)


@pytest.mark.parametrize("chunks", [1, 2])
def test_a_table_goes_on_after_its_last_whole_chunk(
    db: Database, tmp_path: Path, chunks: int
) -> None:
    run = world(db)
    location = shop(tmp_path / "shop.db", tables=1, rows=210_000)
    source, scan_id = discovered(run, location, sample="all")
    kept = 0

    def die(*details: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        with db.read() as session:
            found = session.scalar(select(ScanProgress.chunks))
        if found == chunks:
            raise Killed

    with pytest.raises(Killed):
        run.attempt(1, die).do("scan_logic.scan", scan_id=scan_id)
    with db.read() as session:
        (progress,) = session.scalars(select(ScanProgress))
        kept = progress.rows_read
        assert "example.org" not in json.dumps(progress.sketches)
    assert kept >= chunks * 100_000
    result = run.attempt(2).do("scan_logic.scan", scan_id=scan_id)
    assert result.rows == 210_000
    with db.read() as session:
        assert session.scalar(select(ScanProgress)) is None
        spent = scans.get(session, scan_id).settings["spent"]["rows"]
    assert spent == 210_000, "what was read before the crash was read again"
    undisturbed = run.next_run()
    other = undisturbed.do("data_sources.discover", source_id=source, mode="full").scan_id
    undisturbed.do("scan_logic.scan", scan_id=other)
    assert facts(db, scan_id) == facts(db, other)
    profile = facts(db, scan_id)[1][6]
    assert isinstance(profile, dict)
    assert profile["values"] == 210_000
    assert abs(profile["distinct"] - 210_000) < 21_000


def test_an_attempt_that_was_superseded_may_not_write(db: Database, tmp_path: Path) -> None:
    run = world(db)
    _, scan_id = discovered(run, shop(tmp_path / "shop.db"))

    def overtake(*details: object) -> None:
        if not details:
            return
        with db.write() as session:
            scans.take(session, scan_id, "another")

    with pytest.raises(Conflict, match="Another attempt"):
        run.attempt(1, overtake).do("scan_logic.scan", scan_id=scan_id)
    with db.read() as session:
        assert scans.totals(session, scan_id)["scanned"] == 1
        assert scans.get(session, scan_id).state == "scanning", "the other attempt ends it"


def test_scanning_again_reads_nothing_again(db: Database, tmp_path: Path) -> None:
    run = world(db)
    location = shop(tmp_path / "shop.db")
    _, scan_id = discovered(run, location)
    first = run.do("scan_logic.scan", scan_id=scan_id)
    location.unlink()
    assert run.do("scan_logic.scan", scan_id=scan_id) == first


def test_an_unreadable_file_is_recorded_and_the_scan_goes_on(db: Database, tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text("id,email\n1,a@example.org\n2,b@example.org\n")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "empty.csv").write_text("")
    run = world(db)
    source, scan_id = discovered(run, tmp_path, "files")
    result = run.do("scan_logic.scan", scan_id=scan_id)
    assert (result.assets, result.errors) == (2, 1)
    with db.read() as session:
        found = {a.name: a for a in scans.assets(session, scan_id)}
        assert scans.get(session, scan_id).clean
        assert sources.get(session, source).state == "scanned"
        assert found["broken.parquet"].state == "failed"
        assert "DuckDB could not read broken.parquet" in str(found["broken.parquet"].error)
        assert (found["good.csv"].rows, found["empty.csv"].rows) == (2, 0)


def test_no_value_is_kept(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as shop_:
        shop_.execute("CREATE TABLE t (email TEXT, card TEXT, phone INTEGER, born TEXT)")
        row = ("canary.value@example.org", "4539578763621486", 4915112345678, "1971-03-04")
        shop_.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", [row] * 20)
    shop_.close()
    run = world(db)
    _, scan_id = discovered(run, path)
    run.do("scan_logic.scan", scan_id=scan_id)
    kept = str(facts(db, scan_id))
    assert not [value for value in map(str, row) if value in kept]
    assert "canary" not in kept


def test_drift_is_what_changed_since_the_scan_before(db: Database, tmp_path: Path) -> None:
    path = shop(tmp_path / "shop.db")
    run = world(db)
    source, scan_id = discovered(run, path)
    run.do("scan_logic.scan", scan_id=scan_id)
    first = run.do("scan_logic.detect_drift", scan_id=scan_id)
    assert first.previous_scan_id is None
    with sqlite3.connect(path) as shop_:
        shop_.execute("DROP TABLE customers_0")
        shop_.execute("CREATE TABLE orders (id INTEGER)")
        shop_.execute("ALTER TABLE customers_1 ADD COLUMN phone TEXT")
        shop_.execute("DELETE FROM customers_2 WHERE id > 4")
    shop_.close()
    later = run.next_run()
    second = later.do("data_sources.discover", source_id=source).scan_id
    later.do("scan_logic.scan", scan_id=second)
    drift = later.do("scan_logic.detect_drift", scan_id=second)
    assert (drift.added, drift.removed, drift.changed) == (1, 1, 2)
    with db.read() as session:
        kept = scans.get(session, second).drift
    assert kept["added"] == ["orders"]
    assert kept["removed"] == ["customers_0"]
    assert kept["changed"] == ["customers_1", "customers_2"]
    assert kept["by_aspect"] == {"schema": 3, "volume": 1, "freshness": 0, "classification": 0}
    assert drift.largest == 1.0
    again = later.do("scan_logic.detect_drift", scan_id=second)
    assert again == drift
    with db.read() as session:
        events = list(session.scalars(select(DriftEvent).order_by(DriftEvent.asset)))
    assert [(e.kind, e.asset, e.column, e.before, e.after, e.magnitude) for e in events] == [
        ("asset_removed", "customers_0", "", None, None, 1.0),
        ("column_added", "customers_1", "phone", None, "TEXT", 0.25),
        ("volume_changed", "customers_2", "", "50", "5", 0.9),
        ("asset_added", "orders", "", None, None, 1.0),
    ]


def _source(db: Database, scan_id: str) -> str:
    with db.read() as session:
        return scans.get(session, scan_id).source_id
