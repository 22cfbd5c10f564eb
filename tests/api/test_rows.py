"""Rows and breaches of runs over HTTP."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.server import Api
from tests.api.test_executions import URL, ended, save


def patient(client: httpx.Client, url: str, **query: Any) -> dict[str, Any]:
    """Ask until the run's log, which is written in batches, has what is asked for."""
    deadline = time.monotonic() + 60
    while (answer := client.get(url, params=query)).status_code != 200:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.usefixtures("workers")
def test_rows_of_a_statement_are_read_page_by_page(api_with_temporal: Api, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE orders (id INTEGER, note TEXT)")
        db.executemany("INSERT INTO orders VALUES (?, ?)", [(n, f"x{n}") for n in range(25)])
    db.close()
    client = api_with_temporal.as_admin()
    source = {"name": "shop", "kind": "sqlite", "location": str(path)}
    assert client.post("/api/data-sources", json=source).status_code == 201
    spec = {"source": "shop", "statement": "SELECT id, note FROM orders ORDER BY id"}
    health = {"rules": [{"metric": "RUN_DURATION_SECONDS", "value": 3600}]}
    tasks = [{"task_key": "rows", "sql_task": spec}, {"task_key": "none", "noop_task": {}}]
    job_id = save(client, {"name": "rows", "health": health, "tasks": tasks})
    run_id = client.post(f"{URL}/{job_id}/execute", json={}).json()["id"]
    ended(client, run_id)
    url = f"{URL}/executions/{run_id}/tasks/rows/rows"
    first = patient(client, url, limit=20)
    assert (first["columns"], first["count"], first["next_start"]) == (["id", "note"], 25, 20)
    assert first["items"][19] == [19, "x19"]
    last = patient(client, url, start=20, limit=20)
    assert ([row[0] for row in last["items"]], last["next_start"]) == (list(range(20, 25)), None)
    assert client.get(f"{URL}/executions/{run_id}/tasks/none/rows").status_code == 404
    assert client.get(f"{URL}/executions/{run_id}").json()["breaches"] == []
    other = api_with_temporal.new_workspace("elsewhere")
    stranger = api_with_temporal.as_admin(**{"Racine-Workspace": other})
    assert stranger.get(url).status_code == 404
