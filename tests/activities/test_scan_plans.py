"""What a scan reads again, by its plan, and what it carries over; on both engines."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, update

from models.session import Database
from models.stores import asset_states, rule_sets, scans
from models.stores.scans import ScanAsset
from models.tables.scans import AssetState
from tests.activities.worlds import World, shop, world


class Estate:
    """One source and the scans of it, each in a run of its own."""

    def __init__(
        self, db: Database, location: Path | str, kind: str = "sqlite", *,
        credential: str | None = None, **rules: Any,
    ) -> None:  # fmt: skip
        self.db, self.world = db, world(db)
        self.rules(**rules)
        found = self.world.do(
            "data_sources.register", name="shop", kind=kind, location=str(location),
            credential=credential,
        )  # fmt: skip
        self.source_id = found.source_id
        self.world.do("data_sources.test", source_id=self.source_id)

    def rules(self, **rules: Any) -> None:
        if rules:
            with self.db.write() as session:
                rule_sets.save(session, self.world.call.context.workspace_id, "default", rules, "u")

    def discover(self, **given: Any) -> tuple[World, str]:
        run = self.world.next_run()
        return run, run.do("data_sources.discover", source_id=self.source_id, **given).scan_id

    def scan(self, **given: Any) -> str:
        run, scan_id = self.discover(**given)
        run.do("scan_logic.scan", scan_id=scan_id)
        run.do("classifications.classify", scan_id=scan_id)
        return scan_id

    def assets(self, scan_id: str) -> dict[str, ScanAsset]:
        with self.db.read() as session:
            return {a.name: a for a in scans.assets(session, scan_id)}

    def read(self, scan_id: str) -> list[str]:
        """Return the assets whose rows a scan read."""
        found = self.assets(scan_id).values()
        return sorted(a.name for a in found if a.state == "scanned" and not a.unchanged)

    def why(self, scan_id: str) -> dict[str, str]:
        return {name: a.plan["why"] for name, a in self.assets(scan_id).items()}

    def columns(self, scan_id: str) -> list[tuple[Any, ...]]:
        with self.db.read() as session:
            ids = [asset.id for asset in scans.assets(session, scan_id)]
            return [
                (a.name, c.name, c.profile, c.evidence, c.classifications)
                for a, columns in scans.assets_of(session, ids)
                for c in columns
            ]

    def alter(self, table: str, **values: Any) -> None:
        """Change what is known of an asset from the scans before."""
        with self.db.write() as session:
            session.execute(update(AssetState).where(AssetState.name == table).values(**values))


def folder(path: Path, **files: int) -> Path:
    path.mkdir(exist_ok=True)
    for name, rows in files.items():
        lines = [f"{n},person{n}@example.org" for n in range(rows)]
        (path / f"{name}.csv").write_text("id,email\n" + "\n".join(lines) + "\n")
    return path


def test_unchanged_assets_keep_their_facts_unread(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, folder(tmp_path / "f", shop=50, staff=40), "files")
    first = estate.scan()
    assert estate.read(first) == ["shop.csv", "staff.csv"]
    for file in (tmp_path / "f").iterdir():
        file.chmod(0o000)  # nothing opens it to read rows
    second = estate.scan()
    assert estate.read(second) == []
    assert estate.columns(second) == estate.columns(first)
    assert any(kinds for *_, kinds in estate.columns(second))
    with db.read() as session:
        totals = scans.totals(session, second)
    assert (totals["scanned"], totals["unchanged"], totals["rows"]) == (2, 2, 0)


def written_over(path: Path) -> None:
    """Put other content into a file, which its size and time do not tell."""
    status = path.stat()
    path.write_bytes(b"x;" * (status.st_size // 2) + b"\n" * (status.st_size % 2))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("names", [("shop", "staff"), ("p_1", "p_2", "p_3")], ids=["files", "set"])
def test_files_that_did_not_change_are_not_opened_to_list_them(
    db: Database, tmp_path: Path, names: tuple[str, ...]
) -> None:
    estate = Estate(db, folder(tmp_path / "f", **dict.fromkeys(names, 40)), "files")
    first = estate.scan()
    for file in (tmp_path / "f").iterdir():
        written_over(file)
    second = estate.scan()
    assert estate.columns(second) == estate.columns(first)
    assert not estate.read(second)
    assert estate.read(estate.scan(mode="full")), "a full scan judges them anew"


def governed(estate: Estate) -> list[str]:
    """Scan a source and publish it; return what it read and put its statements aside."""
    scan_id = estate.scan()
    for step in ("scan_logic.detect_drift", "compliance.validate", "catalog.publish"):
        estate.world.next_run().do(step, scan_id=scan_id)
    return estate.read(scan_id)


def statements(estate: Estate) -> int:
    """Return how many statements it takes to scan and publish what did not change."""
    counted: list[str] = []

    def count(*said: Any) -> None:
        counted.append(said[2])

    event.listen(estate.db.engine, "before_cursor_execute", count)
    try:
        assert governed(estate) == []
    finally:
        event.remove(estate.db.engine, "before_cursor_execute", count)
    return len(counted)


def test_many_unchanged_tables_cost_no_more_statements_than_one(
    db: Database, tmp_path: Path
) -> None:
    estate = Estate(db, folder(tmp_path / "f", aa=20), "files")
    assert governed(estate) == ["aa.csv"]
    of_one = statements(estate)
    names = [f"{a}{b}" for a in "abcdef" for b in "abcdef"]
    folder(tmp_path / "f", **dict.fromkeys(names[1:], 20))
    assert len(governed(estate)) == 35
    assert statements(estate) <= of_one


def test_only_what_changed_is_read(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, folder(tmp_path / "f", shop=50, staff=40), "files")
    estate.scan()
    folder(tmp_path / "f", shop=60, new=5)
    second = estate.scan()
    assert estate.read(second) == ["new.csv", "shop.csv"]
    assert estate.why(second) == {
        "new.csv": "It was never read.",
        "shop.csv": "Its change marker is another one.",
        "staff.csv": "Its change marker is the same.",
    }
    assert estate.assets(second)["shop.csv"].rows == 60
    assert estate.read(estate.scan(mode="full")) == ["new.csv", "shop.csv", "staff.csv"]


def test_other_columns_detectors_or_samples_ask_for_a_read(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, folder(tmp_path / "f", shop=50, staff=40), "files")
    estate.scan()
    estate.alter("shop.csv", basis="detectors of an earlier release")
    second = estate.scan()
    assert estate.read(second) == ["shop.csv"]
    assert "detectors" in estate.why(second)["shop.csv"]
    estate.alter("staff.csv", shape="other columns")
    assert estate.read(estate.scan(mode="schema")) == ["staff.csv"]
    estate.rules(sample=20)
    assert estate.read(estate.scan()) == ["shop.csv", "staff.csv"]


def test_a_threshold_is_judged_anew_without_a_read(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, folder(tmp_path / "f", shop=50), "files")
    estate.scan()
    estate.rules(thresholds={"email": 1.0})
    second = estate.scan()
    assert estate.read(second) == []
    assert not any(kinds for *_, kinds in estate.columns(second))


def test_age_decides_alone(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, folder(tmp_path / "f", shop=50, staff=40), "files")
    estate.rules(plan={"mode": "age", "older_than_days": 3})
    estate.scan()
    folder(tmp_path / "f", shop=70)
    assert estate.read(estate.scan()) == []
    estate.alter("staff.csv", read_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert estate.read(estate.scan()) == ["staff.csv"]


def orders(path: Path, first: int, last: int) -> Path:
    with sqlite3.connect(path) as found:
        found.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, email TEXT)")
        found.executemany(
            "INSERT INTO orders VALUES (?, ?)",
            [(n, f"person{n}@example.org") for n in range(first, last)],
        )
    found.close()
    return path


def test_a_watermark_reads_only_newer_rows(db: Database, tmp_path: Path) -> None:
    path = orders(tmp_path / "shop.db", 0, 300)
    estate = Estate(db, path, sample="all", plan={"mode": "watermark", "watermark": "id"})
    estate.scan()
    with sqlite3.connect(path) as found:  # seen by nobody: the rows before are not read again
        found.execute("UPDATE orders SET email = 'x' WHERE id < 100")
    found.close()
    orders(path, 300, 420)
    second = estate.scan()
    asset = estate.assets(second)["orders"]
    assert asset.plan["why"] == "Only rows with a greater id."
    assert (asset.rows, asset.rows_read) == (420, 420)
    with db.read() as session:
        spent = scans.get(session, second).settings["spent"]
        (state,) = asset_states.of_source(session, estate.source_id).values()
    assert spent["rows"] == 120
    assert (state.watermark["column"], state.watermark["value"]) == ("id", "419")
    profile = {name: profile for _, name, profile, *_ in estate.columns(second)}
    assert profile["email"]["values"] == 420
    assert abs(profile["email"]["distinct"] - 420) < 4 * 0.063 * 420  # of 256 hashes


def test_a_watermark_that_tells_of_people_is_not_stored(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "people.db"
    with sqlite3.connect(path) as found:
        found.execute("CREATE TABLE people (name TEXT, card_number INTEGER)")
        cards = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"]
        found.executemany("INSERT INTO people VALUES (?, ?)", [("Ada", c) for c in cards * 5])
    found.close()
    plan = {"mode": "watermark", "watermark": "card_number"}
    estate = Estate(db, path, sample="all", plan=plan)
    estate.scan()
    with db.read() as session:
        (state,) = asset_states.of_source(session, estate.source_id).values()
    assert "value" not in state.watermark


def test_new_files_of_a_set_are_read_alone(db: Database, tmp_path: Path) -> None:
    days = {f"log_2026-01-{day:02}": 30 for day in range(1, 5)}
    estate = Estate(db, folder(tmp_path / "f", **days), "files", sample="all")
    first = estate.scan()
    (name,) = estate.assets(first)
    folder(tmp_path / "f", **{"log_2026-01-05": 20})
    second = estate.scan()
    asset = estate.assets(second)[name]
    assert asset.plan["reach"] == "parts"
    with db.read() as session:
        assert scans.get(session, second).settings["spent"]["rows"] == 20
    profile = {column: profile for _, column, profile, *_ in estate.columns(second)}
    assert profile["email"]["values"] == 4 * 30 + 20


def test_a_budget_puts_the_rest_off_and_that_comes_first(db: Database, tmp_path: Path) -> None:
    estate = Estate(
        db, shop(tmp_path / "shop.db", tables=4), plan={"mode": "full"},
        source_budget={"rows": 100},
    )  # fmt: skip
    first = estate.scan()
    assert estate.read(first) == ["customers_0", "customers_1"]
    left = estate.assets(first)["customers_2"]
    assert (left.state, left.facts["left_out"]) == ("deferred", "The budget ended: source rows.")
    second = estate.scan()
    assert estate.read(second) == ["customers_2", "customers_3"]
    # What the budget left out keeps what the first scan found of it.
    kept = estate.assets(second)["customers_0"]
    assert (kept.state, kept.unchanged, kept.rows) == ("scanned", True, 50)
    assert estate.read(estate.scan()) == ["customers_0", "customers_1"]


def test_what_is_sensitive_and_used_comes_first(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, shop(tmp_path / "shop.db", tables=3), plan={"mode": "full"})
    estate.scan()
    estate.alter("customers_0", sensitivity="public")
    estate.alter("customers_1", sensitivity="internal")
    estate.alter("customers_2", sensitivity="restricted")
    _, scan_id = estate.discover()
    with db.read() as session:
        waiting = scans.pending(session, scan_id)
    assert [asset.name for asset in waiting] == ["customers_2", "customers_1", "customers_0"]
    assert "restricted" in waiting[0].plan["order"]


def test_a_plan_reads_nothing_and_cannot_be_scanned(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, shop(tmp_path / "shop.db"))
    run, scan_id = estate.discover(dry_run=True)
    assert set(estate.why(scan_id).values()) == {"It was never read."}
    with pytest.raises(Exception, match="planned"):
        run.do("scan_logic.scan", scan_id=scan_id)
    assert estate.read(scan_id) == []


def test_rules_are_inherited_and_overridden(db: Database, tmp_path: Path) -> None:
    estate = Estate(
        db, shop(tmp_path / "shop.db", tables=3, rows=90), sample=40, exclude=["*_0"],
        overrides=[{"assets": ["*_2"], "rules": {"sample": "all"}}],
    )  # fmt: skip
    workspace = estate.world.call.context.workspace_id
    with db.write() as session:
        own = rule_sets.save(session, workspace, "shop", {"exclude": ["nothing"]}, "u")
    scan_id = estate.scan(rule_set_id=own.id)
    read = {name: asset.rows_read for name, asset in estate.assets(scan_id).items()}
    assert read == {"customers_0": 40, "customers_1": 40, "customers_2": 90}
    with db.read() as session:
        layers = scans.get(session, scan_id).settings["layers"]
    assert [layer["name"] for layer in layers] == ["default", "shop"]


def _during(estate: Estate, order: Callable[[str], None]) -> tuple[str, float]:
    """Give an order once a scan has begun to read; return the scan and its seconds after that."""
    run, scan_id = estate.discover()
    given: list[float] = []

    def give() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with estate.db.read() as session:
                if scans.get(session, scan_id).beat_at is not None:
                    break
            time.sleep(0.05)
        order(scan_id)
        given.append(time.monotonic())

    thread = threading.Thread(target=give)
    thread.start()
    run.do("scan_logic.scan", scan_id=scan_id)
    ended = time.monotonic()
    thread.join()
    return scan_id, ended - given[0]


def test_one_asset_is_cancelled_while_it_is_read(db: Database, tmp_path: Path) -> None:
    estate = Estate(
        db, shop(tmp_path / "shop.db", tables=2, rows=20_000), sample="all",
        source_budget={"rows_per_second": 500},
    )  # fmt: skip

    def skip_and_hurry(scan_id: str) -> None:
        first = estate.assets(scan_id)["customers_0"]
        with db.write() as session:
            scans.order(session, scan_id, skipped=[first.id], rows_per_second=1e9)

    scan_id, _ = _during(estate, skip_and_hurry)
    found = estate.assets(scan_id)
    assert (found["customers_0"].state, found["customers_1"].state) == ("cancelled", "scanned")
    assert found["customers_0"].error == "Its reading was cancelled."
    assert found["customers_1"].rows == 20_000


def test_a_query_that_hangs_is_broken_off_by_an_order(db: Database, tmp_path: Path) -> None:
    path = shop(tmp_path / "shop.db", tables=1)
    with sqlite3.connect(path) as found:
        found.execute(
            "CREATE VIEW endless AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
            " SELECT max(x) AS x FROM c"
        )
    found.close()
    estate = Estate(db, path, plan={"mode": "full"})

    def skip(scan_id: str) -> None:
        with db.write() as session:
            scans.order(session, scan_id, skipped=[estate.assets(scan_id)["endless"].id])

    scan_id, _ = _during(estate, skip)
    states = {name: asset.state for name, asset in estate.assets(scan_id).items()}
    assert states == {"customers_0": "scanned", "endless": "cancelled"}


def test_a_throttle_holds_and_is_lifted_while_reading(db: Database, tmp_path: Path) -> None:
    # At this rate it would take hours.
    estate = Estate(
        db, shop(tmp_path / "shop.db", tables=1, rows=40_000), sample="all",
        source_budget={"rows_per_second": 2},
    )  # fmt: skip

    def lift(scan_id: str) -> None:
        with db.write() as session:
            scans.order(session, scan_id, rows_per_second=1e9)

    scan_id, _ = _during(estate, lift)
    assert estate.assets(scan_id)["customers_0"].rows_read == 40_000


def test_a_paused_scan_goes_on_when_it_is_resumed(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, shop(tmp_path / "shop.db", tables=2))
    run, scan_id = estate.discover()
    with db.write() as session:
        scans.order(session, scan_id, paused=True)
    thread = threading.Thread(target=lambda: run.do("scan_logic.scan", scan_id=scan_id))
    thread.start()
    _until(db, lambda session: scans.get(session, scan_id).state == "scanning")
    with db.read() as session:
        assert scans.totals(session, scan_id)["pending"] == 2
    with db.write() as session:
        scans.order(session, scan_id, paused=None)
    thread.join(60)
    assert estate.read(scan_id) == ["customers_0", "customers_1"]


def test_one_connection_at_a_time_where_the_budget_says_so(db: Database, tmp_path: Path) -> None:
    estate = Estate(db, shop(tmp_path / "shop.db", tables=1), source_budget={"connections": 1})
    _, other = estate.discover()
    with db.write() as session:
        scans.take(session, other, "another attempt")
        scans.beat(session, other)
    run, scan_id = estate.discover()
    thread = threading.Thread(target=lambda: run.do("scan_logic.scan", scan_id=scan_id))
    thread.start()
    _until(db, lambda session: scans.get(session, scan_id).state == "scanning")
    with db.read() as session:
        assert scans.totals(session, scan_id)["pending"] == 1
    with db.write() as session:
        scans.close(session, other, "scanned")
    thread.join(60)
    assert estate.read(scan_id) == ["customers_0"]


def _reading(estate: Estate) -> tuple[str, threading.Thread]:
    """Scan in a thread of its own; return the scan, once it has begun, and the thread."""
    run, scan_id = estate.discover()
    thread = threading.Thread(
        target=lambda: run.do("scan_logic.scan", scan_id=scan_id), daemon=True
    )
    thread.start()
    _until(estate.db, lambda session: scans.get(session, scan_id).state == "scanning")
    return scan_id, thread


def test_scans_that_wait_for_a_connection_do_not_wait_for_each_other(
    db: Database, tmp_path: Path
) -> None:
    estate = Estate(
        db, shop(tmp_path / "shop.db", tables=1), plan={"mode": "full"},
        source_budget={"connections": 1},
    )  # fmt: skip
    _, other = estate.discover()
    with db.write() as session:
        scans.take(session, other, "another attempt")
        scans.beat(session, other)
    waiting = [_reading(estate) for _ in range(3)]
    for scan_id, _ in waiting:
        assert estate.read(scan_id) == []
    with db.write() as session:
        scans.close(session, other, "scanned")
    for scan_id, thread in waiting:
        thread.join(120)
        assert estate.read(scan_id) == ["customers_0"]


def test_a_paused_scan_leaves_its_connection_to_others(db: Database, tmp_path: Path) -> None:
    estate = Estate(
        db, shop(tmp_path / "shop.db", tables=2, rows=20_000), sample="all", plan={"mode": "full"},
        source_budget={"connections": 1, "rows_per_second": 0.25},
    )  # fmt: skip
    paused, thread = _reading(estate)
    _until(db, lambda session: scans.get(session, paused).beat_at is not None)
    with db.write() as session:
        scans.order(session, paused, paused=True)
    _until(db, lambda session: scans.get(session, paused).beat_at is None)
    run, other = estate.discover()
    with db.write() as session:
        scans.order(session, other, rows_per_second=1e9)
    run.do("scan_logic.scan", scan_id=other)
    assert estate.read(other) == ["customers_0", "customers_1"]
    with db.write() as session:
        scans.order(session, paused, paused=None, rows_per_second=1e9)
    thread.join(120)
    assert estate.read(paused) == ["customers_0", "customers_1"]


def _until(db: Database, holds: Callable[[Any], bool]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with db.read() as session:
            if holds(session):
                return
        time.sleep(0.05)
    raise AssertionError("it did not come in a minute")


def test_an_asset_that_cannot_be_read_keeps_no_state(db: Database, tmp_path: Path) -> None:
    path = folder(tmp_path / "f", good=20)
    (path / "bad.parquet").write_bytes(b"PAR1 and no more")
    estate = Estate(db, path, "files")
    scan_id = estate.scan()
    assert estate.assets(scan_id)["bad.parquet"].state == "failed"
    with db.read() as session:
        names = session.scalars(select(AssetState.name)).all()
    assert names == ["good.csv"]
