"""Repairs over HTTP: shown before they are done, done once, and told afterwards."""

from typing import Any

import httpx
import pytest

from tests.api.server import Api
from tests.api.test_executions import URL, ended, save
from tests.eventually import eventually


def task(key: str, value: Any, *upstream: str) -> dict[str, Any]:
    return {
        "task_key": key,
        "operation_task": {"operation": "racine.noop", "input": {"value": value}},
        "depends_on": [{"task_key": up} for up in upstream],
        "retry_policy": {"maximum_attempts": 1},
    }


FLAKY: dict[str, Any] = {
    "name": "flaky",
    "parameters": [{"name": "broken", "default": True, "schema": {"type": "boolean"}}],
    "tasks": [
        task("good", 5),
        task("bad", "{{ params.broken ? 1 / 0 : 7 }}", "good"),
        task("after", "{{ tasks.bad.values.value + tasks.good.values.value }}", "bad", "good"),
    ],
    "outputs": {"sum": "{{ tasks.after.values.value }}"},
}


def repair(client: httpx.Client, run_id: str, key: str = "", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{URL}/executions/{run_id}/repair", json=body, headers=headers)


@pytest.mark.usefixtures("workers")
def test_a_repair_is_shown_done_once_and_told(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    job_id = save(client, FLAKY)
    run_id = client.post(f"{URL}/{job_id}/execute", json={}).json()["id"]
    assert ended(client, run_id)["state"] == "failed"
    good: dict[str, Any] = {"parameters": {"broken": False}, "reason": "mended"}
    shown = repair(client, run_id, **good, dry_run=True)
    assert (shown.status_code, shown.json()["state"]) == (200, "preview")
    assert [t["path"] for t in shown.json()["again"]] == ["bad", "after"]
    assert shown.json()["kept"] == [{"path": "good", "state": "succeeded", "iterations": None}]
    assert client.get(f"{URL}/executions/{run_id}").json()["state"] == "failed"
    answers = [repair(client, run_id, "k-1", **good) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["number"] == 1
    assert ended(client, run_id)["outputs"] == {"sum": 12}
    detail = client.get(f"{URL}/executions/{run_id}").json()
    (entry,) = detail["repairs"]
    assert (entry["reason"], entry["again"], entry["was"]) == ("mended", ["bad", "after"], "failed")
    assert detail["parameters"] == {"broken": False}

    def attempts() -> dict[str, int]:
        graph = client.get(f"{URL}/executions/{run_id}/graph").json()
        return {task["key"]: len(task["segments"]) for task in graph["tasks"]}

    # The log's last batch lands after the run's end.
    eventually(lambda: attempts() == {"good": 1, "bad": 2, "after": 1}, "all attempts are told")
    actions = [a["action"] for a in client.get("/api/racine/activities").json()["items"]]
    assert actions.count("run.repair") == 1


@pytest.mark.usefixtures("workers")
def test_repairs_that_make_no_sense_are_refused(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client, FLAKY)}/execute", json={}).json()["id"]
    ended(client, run_id)
    unknown = repair(client, run_id, tasks=["nobody", "bad[0]"])
    assert unknown.status_code == 422
    assert [e["pointer"] for e in unknown.json()["errors"]] == ["/tasks", "/tasks"]
    wrong = repair(client, run_id, parameters={"broken": "yes"})
    assert wrong.json()["errors"][0]["pointer"] == "/parameters/broken"
    assert repair(client, run_id, version=9).status_code == 404
    reader = api_with_temporal.as_user(["workflows:read"])
    assert repair(reader, run_id).status_code == 403
    assert client.get(f"{URL}/executions/{run_id}").json()["repairs"] == []
