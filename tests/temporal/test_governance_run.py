"""The governance run, end to end on a real Temporal server."""

import sqlite3
from pathlib import Path

from sqlalchemy import select

from models.stores import runs
from models.tables.catalog import Asset
from models.tables.compliance import Finding
from racine import templates
from tests.temporal.conftest import Stack


def test_a_governance_run_publishes_what_it_found(stack: Stack, tmp_path: Path) -> None:
    estate = tmp_path / "shop.db"
    with sqlite3.connect(estate) as shop:
        shop.execute("CREATE TABLE customers (id INTEGER, contact TEXT)")
        rows = [(n, f"person{n}@example.org") for n in range(50)]
        shop.executemany("INSERT INTO customers VALUES (?, ?)", rows)
    job_id = stack.save(templates.load("governance_run"))
    run_id = stack.start(job_id, name="shop", kind="sqlite", location=str(estate))
    assert stack.result(run_id).state == "completed"
    with stack.db.read() as session:
        assert runs.get(session, run_id).state == "completed"
        (asset,) = session.scalars(select(Asset))
        assert asset.facts["columns"]["contact"]["kinds"] == ["email"]
        (finding,) = session.scalars(select(Finding))
        assert (finding.control, finding.state) == ("ISO-A.5.9", "fail")
    assert ("notify", "succeeded") in stack.events(run_id)
