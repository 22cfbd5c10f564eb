"""The governance run, end to end on a real Temporal server."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import select
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from activities.events import EventSink
from models.schema import upgrade
from models.session import Database
from models.stores import runs
from models.tables.catalog import Asset
from models.tables.compliance import Finding
from models.tables.workspaces import Workspace
from racine import templates
from services import workflows as service
from worker import activity_worker, workflow_worker

BINARY = Path.home() / ".cache/racine/temporal/1.8.2/temporal"


def test_a_governance_run_publishes_what_it_found(tmp_path: Path) -> None:
    estate = tmp_path / "shop.db"
    with sqlite3.connect(estate) as shop:
        shop.execute("CREATE TABLE customers (id INTEGER, contact TEXT)")
        rows = [(n, f"person{n}@example.org") for n in range(50)]
        shop.executemany("INSERT INTO customers VALUES (?, ?)", rows)
    document = templates.load("governance_run")
    db = Database(f"sqlite:///{tmp_path}/racine.db")
    upgrade(db)
    run_id = asyncio.run(_run(db, estate, document))
    with db.read() as session:
        assert runs.get(session, run_id).state == "completed"
        (asset,) = session.scalars(select(Asset))
        assert asset.facts["columns"]["contact"]["kinds"] == ["email"]
        (finding,) = session.scalars(select(Finding))
        assert (finding.control, finding.state) == ("ISO-A.5.9", "fail")
        kinds = [(e.task_key, e.kind) for e in runs.events_after(session, run_id, 0)]
    assert ("notify", "succeeded") in kinds


async def _run(db: Database, estate: Path, document: dict[str, Any]) -> str:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=os.fspath(BINARY), data_converter=pydantic_data_converter
    ) as server:
        sink = EventSink(db)
        async with workflow_worker(server.client), activity_worker(server.client, db, sink):
            with db.write() as session:
                session.add(Workspace(id="ws_1", slug="main", title="Main"))
                session.flush()
                job_id = service.save(session, "ws_1", document, "usr_1")
                parameters = {"name": "shop", "kind": "sqlite", "location": str(estate)}
                run_id = service.record(session, job_id, parameters, "usr_1")
            await service.start(db, server.client, run_id)
            await server.client.get_workflow_handle(f"governance_run/{run_id}").result()
        sink.close()
    return run_id
