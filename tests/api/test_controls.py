"""Orders to runs over HTTP: answered, refused, and kept while nobody answers."""

import time
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.reconciler import Reconciler
from tests.api.server import Api
from tests.api.test_executions import URL, ended, save
from tests.conftest import Temporal

CHAIN: dict[str, Any] = {
    "name": "chain",
    "tasks": [
        {
            "task_key": f"t{n}",
            "depends_on": [{"task_key": f"t{n - 1}"}] if n else [],
            "operation_task": {"operation": "racine.noop", "input": {"value": n}},
        }
        for n in range(300)
    ],
}


def order(client: httpx.Client, run_id: str, action: str, **more: str) -> httpx.Response:
    url = f"{URL}/executions/{run_id}/control"
    return client.post(url, json={"action": action, **more})


@pytest.mark.usefixtures("workers")
def test_a_run_is_paused_resumed_and_cancelled(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client, CHAIN)}/execute", json={}).json()["id"]
    paused = order(client, run_id, "pause", reason="to look", request_id="r-1")
    assert (paused.status_code, paused.json()["state"]) == (200, "applied")
    assert client.get(f"{URL}/executions/{run_id}/status").json()["state"] == "paused"
    again = order(client, run_id, "pause", reason="to look", request_id="r-1")
    assert again.json() == paused.json()
    refused = order(client, run_id, "pause")
    assert refused.status_code == 409
    assert "paused already" in refused.json()["detail"]
    other = order(client, run_id, "resume", request_id="r-1")
    assert other.status_code == 409
    assert order(client, run_id, "resume").json()["state"] == "applied"
    assert order(client, run_id, "cancel").json()["state"] == "applied"
    assert ended(client, run_id)["state"] == "cancelled"
    late = order(client, run_id, "pause")
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    actions = [a["action"] for a in client.get("/api/racine/activities").json()["items"]]
    assert [a for a in actions if a in ("run.pause", "run.resume", "run.cancel")] == [
        "run.cancel", "run.resume", "run.pause", "run.pause",
    ]  # fmt: skip


def test_an_order_that_nobody_answers_is_kept_and_given_again(
    api_with_temporal: Api, temporal: Temporal, request: pytest.FixtureRequest
) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client, CHAIN)}/execute", json={}).json()["id"]
    kept = order(client, run_id, "cancel", request_id="r-1")
    assert (kept.status_code, kept.json()["state"]) == (202, "pending")
    request.getfixturevalue("workers")
    reconciler = Reconciler(api_with_temporal.db, temporal.client, grace=timedelta())
    deadline = time.monotonic() + 30
    while order(client, run_id, "cancel", request_id="r-1").json()["state"] != "applied":
        temporal.run(reconciler.round())
        assert time.monotonic() < deadline
    assert ended(client, run_id)["state"] == "cancelled"


def test_a_run_is_terminated_without_any_worker(api_with_temporal: Api, temporal: Temporal) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client, CHAIN)}/execute", json={}).json()["id"]
    assert order(client, run_id, "terminate", reason="enough").json()["state"] == "applied"
    temporal.run(Reconciler(api_with_temporal.db, temporal.client).settle())
    assert ended(client, run_id)["state"] == "terminated"


def asked(client: httpx.Client, run_id: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        tasks = client.get(f"{URL}/executions/{run_id}/graph").json()["tasks"]
        if any("approval by whoever may approve" in task["waiting"] for task in tasks):
            return
        assert time.monotonic() < deadline, tasks
        time.sleep(0.05)


@pytest.mark.usefixtures("workers")
def test_an_approval_counts_the_right_of_whoever_gives_it(api_with_temporal: Api) -> None:
    admin = api_with_temporal.as_admin()
    document = {
        "name": "asking",
        "tasks": [{"task_key": "ask", "approval_task": {"prompt": "Publish?"}}],
    }
    run_id = admin.post(f"{URL}/{save(admin, document)}/execute", json={}).json()["id"]
    about = {"task_key": "ask"}
    asked(admin, run_id)
    assert order(admin, run_id, "approve").status_code == 422
    assert order(admin, run_id, "terminate", **about).status_code == 422
    runner = api_with_temporal.as_user(["workflows:read", "workflows:run"])
    assert order(runner, run_id, "approve", **about).status_code == 403
    own = order(admin, run_id, "approve", **about)
    assert own.status_code == 409
    assert "does not approve" in own.json()["detail"]
    steward = api_with_temporal.as_user(["workflows:read", "workflows:approve"])
    said = order(steward, run_id, "approve", reason="fine", **about)
    assert (said.status_code, said.json()["answer"]["outcome"]) == (200, "approved")
    assert ended(admin, run_id)["state"] == "completed"


@pytest.mark.usefixtures("workers")
def test_a_tasks_result_is_set_by_hand(api_with_temporal: Api) -> None:
    admin = api_with_temporal.as_admin()
    document = {
        "name": "by_hand",
        "tasks": [{"task_key": "ask", "approval_task": {"prompt": "How many?"}}],
        "outputs": {"said": "{{ tasks.ask.values.outcome }}"},
    }
    run_id = admin.post(f"{URL}/{save(admin, document)}/execute", json={}).json()["id"]
    url = f"{URL}/executions/{run_id}/control"
    deadline = time.monotonic() + 30
    while True:
        body = {"action": "set_result", "task_key": "ask", "values": {"outcome": "by hand"}}
        answer = admin.post(url, json=body)
        if answer.status_code == 200:
            break
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.05)
    assert ended(admin, run_id)["outputs"] == {"said": "by hand"}
