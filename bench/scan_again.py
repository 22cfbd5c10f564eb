"""What a second scan costs: an unchanged source, and 1,000 partitions beside one table.

The operations are those of a governance run, called one after the other in this process over a
SQLite database; every row is read and sketched. `bench.scan` prints the figures.
"""

import csv
import random
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from activities.call import Call
from activities.operations import PERFORMERS
from models.messages import RunContext
from models.schema import upgrade
from models.session import Database
from models.stores import rule_sets
from models.tables.workspaces import Workspace
from racine import registry
from racine.ids import new_id

_STEPS = (
    "scan_logic.scan", "classifications.classify", "scan_logic.detect_drift",
    "compliance.validate", "catalog.publish",
)  # fmt: skip


def _silent(*details: Any) -> None:
    return None


@dataclass(frozen=True)
class Scanner:
    """Scans one source again and again, each time as a run of its own."""

    call: Call
    source_id: str

    def scan(self) -> dict[str, float]:
        """Take the source through a run; return the seconds of each step and of all."""
        context = self.call.context.model_copy(update={"run_id": new_id("run")})
        call = replace(self.call, context=context)
        began, worked = time.perf_counter(), time.process_time()
        scan_id = _do(call, "data_sources.discover", source_id=self.source_id).scan_id
        seconds = {"data_sources.discover": time.perf_counter() - began}
        for step in _STEPS:
            started = time.perf_counter()
            _do(call, step, scan_id=scan_id)
            seconds[step] = time.perf_counter() - started
        whole = {"all": time.perf_counter() - began, "cpu": time.process_time() - worked}
        return seconds | whole


def scanner(folder: Path, location: Path) -> Scanner:
    """Return a scanner of a folder of files, with a database of its own."""
    db = Database(f"sqlite:///{folder / 'racine.db'}")
    upgrade(db)
    with db.write() as session:
        session.add(Workspace(id="ws_bench", slug="bench", title="Bench"))
        session.flush()
        rules = {"sample": "all", "budget": {"seconds": None}}
        rule_sets.save(session, "ws_bench", "default", rules, "usr_bench")
    context = RunContext(run_id=new_id("run"), workspace_id="ws_bench", actor="usr_bench")
    call = Call(db, context, "task", 1, _silent)
    made = _do(call, "data_sources.register", name="bench", kind="files", location=str(location))
    _do(call, "data_sources.test", source_id=made.source_id)
    return Scanner(call, made.source_id)


def _do(call: Call, operation_name: str, /, **given: Any) -> Any:
    operation = registry.operation(operation_name)
    return PERFORMERS[operation](call, operation.input.model_validate(given))


def governed(table: Path, rows: int) -> dict[str, float]:
    """Return the speed of the reading step of a run: every row read, sketched and kept."""
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        files.mkdir()
        (files / "people.csv").write_bytes(table.read_bytes())
        found = scanner(Path(name), files)
        worked = time.process_time()
        seconds = found.scan()
        worked = time.process_time() - worked
    return {
        "governed_seconds": round(seconds["scan_logic.scan"], 3),
        "governed_rows_per_second": round(rows / seconds["scan_logic.scan"]),
        "governed_run_cpu_seconds": round(worked, 3),
    }


def unchanged(table: Path, tables: int = 20) -> dict[str, float]:
    """Return the seconds of a first scan of some files and of one in which nothing changed."""
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        files.mkdir()
        for n in range(tables):
            (files / f"table{chr(97 + n)}.csv").write_bytes(table.read_bytes())
        found = scanner(Path(name), files)
        first, second = found.scan(), found.scan()
    return {
        "first_scan_seconds": round(first["all"], 3),
        "first_read_seconds": round(first["scan_logic.scan"], 3),
        "rescan_seconds": round(second["all"], 3),
        "rescan_share": round(second["all"] / first["all"], 4),
    }


def partitions(count: int = 1000, rows: int = 100, times: int = 3) -> dict[str, float]:
    """Return what scanning a set of files costs, and one file with the same rows.

    Each is the least of some scans, after one of both that nobody counts: what the process loads
    and compiles once is no cost of either.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        parts, whole = root / "parts", root / "whole"
        _write_both(parts, whole, count, rows)
        found = {place: [_scanned(root, place) for _ in range(times + 1)][1:]
                 for place in (parts, whole)}  # fmt: skip
    many, one = (
        {of: min(took[of] for took in found[place]) for of in ("all", "cpu")}
        for place in (parts, whole)
    )
    return {
        "partitions": count,
        "partitions_seconds": round(many["all"], 3),
        "partitions_cpu_seconds": round(many["cpu"], 3),
        "one_file_seconds": round(one["all"], 3),
        "one_file_cpu_seconds": round(one["cpu"], 3),
        "partitions_times_one_file": round(many["cpu"] / one["cpu"], 2),
    }


def _scanned(root: Path, place: Path) -> dict[str, float]:
    """Scan a folder for the first time."""
    own = Path(tempfile.mkdtemp(dir=root))
    return scanner(own, place).scan()


def _write_both(parts: Path, whole: Path, count: int, rows: int) -> None:
    whole.mkdir()
    dice = random.Random(20260101)
    every = [[str(n), f"p{n}@example.org", str(dice.random())] for n in range(count * rows)]
    for n in range(count):
        year, day = 2024 + n // 365, n % 365
        at = parts / f"year={year}" / f"day={day:03}"
        at.mkdir(parents=True)
        _write(at / "part.csv", every[n * rows : (n + 1) * rows])
    _write(whole / "events.csv", every)


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "email", "score"])
        writer.writerows(rows)
