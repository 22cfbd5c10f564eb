"""A run with nested loops, an approval and a failing iteration, repaired while it runs."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.server import Api
from tests.api.test_controls import order
from tests.api.test_executions import URL, ended, save, stream
from tests.api.test_repairs import repair

TOUR = Path(__file__).resolve().parents[2] / "examples/tour.json"
BROKEN = "per_source[1].per_table[1].clean"


def tasks(client: httpx.Client, run_id: str) -> dict[str, dict[str, Any]]:
    graph = client.get(f"{URL}/executions/{run_id}/graph").json()
    return {task["key"]: task for task in graph["tasks"]}


def until(client: httpx.Client, run_id: str, **wanted: str) -> dict[str, dict[str, Any]]:
    """Wait until the state of tasks, or why they wait, says so."""
    deadline = time.monotonic() + 60
    while True:
        found = tasks(client, run_id)
        if all(f"{found[key]['waiting']} {found[key]['state']}".find(what) >= 0
               for key, what in wanted.items()):  # fmt: skip
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def begun(client: httpx.Client, run_id: str) -> list[str]:
    """Return every task that was begun, as often as it was."""
    # The last frame tells that the log is closed.
    events = [json.loads(frame["data"]) for frame in stream(client, run_id)[:-1]]
    return [event["task_key"] for event in events if event["kind"] == "started"]


@pytest.mark.usefixtures("workers")
def test_nested_loops_an_approval_and_a_failing_iteration_repaired_while_the_run_goes_on(
    api_with_temporal: Api,
) -> None:
    client = api_with_temporal.as_admin()
    job_id = save(client, json.loads(TOUR.read_text("utf-8")))
    run_id = client.post(f"{URL}/{job_id}/execute", json={}).json()["id"]
    found = until(client, run_id, per_source="failed", publish="approval")
    assert "first [1].per_table" in found["per_source"]["error"]["message"]
    wish: dict[str, Any] = {"tasks": [BROKEN], "parameters": {"broken": False}}
    shown = repair(client, run_id, **wish, dry_run=True).json()
    assert (shown["state"], BROKEN in [t["path"] for t in shown["again"]]) == ("preview", True)
    assert tasks(client, run_id)["per_source"]["state"] == "failed"
    assert repair(client, run_id, **wish, reason="prices are back").status_code == 202
    # The question is still open; an answer given while the repair takes hold is not lost.
    said = order(client, run_id, "approve", task_key="publish")
    assert (said.status_code, said.json()["answer"]["outcome"]) == (200, "approved")
    assert ended(client, run_id)["outputs"] == {"sources": 3}
    detail = client.get(f"{URL}/executions/{run_id}").json()
    (entry,) = detail["repairs"]
    assert (entry["was"], entry["reason"]) == ("running", "prices are back")
    ran = begun(client, run_id)
    # What was good is kept: of the tasks inside the loops only the failed one began once more.
    inside = [key for key in ran if key.endswith((".open", ".read", ".clean"))]
    assert [key for key in set(inside) if inside.count(key) > 1] == [BROKEN]
    assert ran.count("tell") == 1
