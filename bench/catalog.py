"""Times classify, validate, publish and search over a catalog of many tables.

`uv run python -m bench.catalog [--tables 1000] [--columns 20] [--database-url URL]` makes the scan
itself, with evidence that the classifiers' own `gather` took from generated values, and ends with
one line of JSON. The database has to be empty; without a URL it is a new SQLite file.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from activities import catalog, classifications, compliance
from activities.call import Call
from models.messages import RunContext
from models.schema import upgrade
from models.session import Database
from models.stores import scans, search, sources
from models.stores.catalog import Asset
from models.tables.workspaces import Workspace
from racine.governance.catalog import PublishInput
from racine.governance.classifications import ClassifyInput
from racine.governance.classifications.engine import gather
from racine.governance.compliance import ValidateInput

WORKSPACE = "ws_bench"
QUESTIONS = ("email", "customer email", "card", "t99", "phone number", "amount", "cust", "zz")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--database-url")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = Database(given.database_url or f"sqlite:///{folder}/bench.db")
        upgrade(db)
        figures = measure(db, given.tables, given.columns, Path(folder))
        db.close()
    print(json.dumps(figures))


def measure(db: Database, tables: int, columns: int, folder: Path) -> dict[str, Any]:
    """Return seconds of each step and the search's percentiles in milliseconds."""
    call = Call(db, RunContext(run_id="run_b", workspace_id=WORKSPACE, actor="usr_system"), "t", 1,
                lambda *_: None)  # fmt: skip
    figures: dict[str, Any] = {"engine": db.engine.dialect.name, "columns": tables * columns}
    scan_id = _scan(db, tables, columns, folder, "one")
    for turn in ("first", "again"):
        steps: dict[str, Callable[[], Any]] = {
            "classify": lambda: classifications.classify(call, ClassifyInput(scan_id=scan_id)),
            "validate": lambda: compliance.validate(call, ValidateInput(scan_id=scan_id)),
            "publish": lambda: catalog.publish(call, PublishInput(scan_id=scan_id)),
        }
        for name, step in steps.items():
            began, spent = time.perf_counter(), time.process_time()
            step()
            figures[f"{name}_{turn}_s"] = round(time.perf_counter() - began, 2)
            figures[f"{name}_{turn}_cpu_s"] = round(time.process_time() - spent, 2)
    return figures | _search(db)


def _scan(db: Database, tables: int, columns: int, folder: Path, name: str) -> str:
    made = random.Random(7)
    kinds = _evidence(made)
    with db.write() as session:
        session.add(Workspace(id=WORKSPACE, slug="bench", title="Bench"))
        session.flush()
        source = sources.register(
            session, WORKSPACE, name=name, kind="sqlite", location=str(folder / "none.db")
        )
        scan = scans.create(session, WORKSPACE, source.id, "run_b")
        scan.clean = True
        scans.add_assets(session, scan.id, [
            ({"name": f"t{n}", "kind": "table", "state": "scanned", "rows": 100,
              "rows_read": 100, "fingerprint": "", "facts": {}},
             [_column(made, kinds, place) for place in range(columns)])
            for n in range(tables)
        ])  # fmt: skip
        return scan.id


def _evidence(made: random.Random) -> dict[str, dict[str, Any]]:
    values: dict[str, list[str]] = {
        "customer_email": [f"p{n}@example.org" for n in range(100)],
        "phone_number": [f"+4420794600{n:02}" for n in range(100)],
        "card_number": ["4111111111111111", "5555555555554444", "4012888888881881"],
        "amount": [f"{made.uniform(1, 900):.2f}" for _ in range(100)],
        "order_id": [str(made.randrange(10**9)) for _ in range(100)],
        "status": ["open", "paid", "sent"],
    }
    return {
        name: gather(dict.fromkeys(found, 1)).model_dump(mode="json")
        for name, found in values.items()
    }


def _column(made: random.Random, kinds: dict[str, dict[str, Any]], place: int) -> dict[str, Any]:
    name = made.choice(list(kinds))
    return {
        "name": f"{name}_{place}", "type": "TEXT", "primary_key": False, "references": None,
        "profile": {"values": 100, "nulls": 0, "distinct": 100, "distinct_exact": True},
        "evidence": kinds[name], "classifications": [],
    }  # fmt: skip


def _search(db: Database) -> dict[str, Any]:
    times = []
    for turn in range(25):
        for question in QUESTIONS:
            began = time.perf_counter()
            with db.read() as session:
                search.find(session, Asset.workspace_id == WORKSPACE, question)
            if turn:
                times.append((time.perf_counter() - began) * 1000)
    return {"search_p50_ms": round(statistics.median(times), 1),
            "search_p95_ms": round(statistics.quantiles(times, n=20)[-1], 1)}  # fmt: skip


if __name__ == "__main__":
    main()
