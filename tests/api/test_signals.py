"""Signals, forms and estimates over HTTP: what cannot be meant is refused, and says why."""

import time
from typing import Any

import httpx
import pytest

from tests.api.server import Api
from tests.api.test_controls import order
from tests.api.test_executions import URL, ended, save

SCHEMA = {"type": "object", "properties": {"rows": {"type": "integer"}}, "required": ["rows"]}
JOB: dict[str, Any] = {
    "name": "signalled",
    "tasks": [
        {"task_key": "wait", "wait_task": {"signal": "landed", "payload_schema": SCHEMA}},
        {
            "task_key": "ask",
            "depends_on": [{"task_key": "wait"}],
            "approval_task": {"prompt": "?", "self_approval": True, "form": {"required": ["why"]}},
        },
    ],
    "outputs": {"rows": "{{ tasks.wait.values.payload.rows }}"},
}


def signal(client: httpx.Client, run_id: str, name: str = "landed", **body: Any) -> httpx.Response:
    return client.post(f"{URL}/executions/{run_id}/signals/{name}", json=body)


def until_open(client: httpx.Client, run_id: str, key: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        tasks = client.get(f"{URL}/executions/{run_id}/graph").json()["tasks"]
        if "approval" in next(task["waiting"] for task in tasks if task["key"] == key):
            return
        assert time.monotonic() < deadline, tasks
        time.sleep(0.1)


@pytest.mark.usefixtures("workers")
def test_a_signal_is_given_once_and_what_cannot_be_meant_is_refused(
    api_with_temporal: Api,
) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client, JOB)}/execute", json={}).json()["id"]
    unknown = signal(client, run_id, "lost", payload={"rows": 1})
    assert (unknown.status_code, "they wait for: landed" in unknown.json()["detail"]) == (409, True)
    wrong = signal(client, run_id, payload={"rows": "many"})
    assert (wrong.status_code, "/rows" in wrong.json()["detail"]) == (409, True)
    assert "many" not in wrong.text
    assert order(client, run_id, "signal").status_code == 422
    answers = [signal(client, run_id, payload={"rows": 3}, request_id="r-1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    other = signal(client, run_id, payload={"rows": 4}, request_id="r-1")
    assert other.status_code == 409
    until_open(client, run_id, "ask")
    form = {"task_key": "ask", "form": {"because": "x"}}
    url = f"{URL}/executions/{run_id}/control"
    unfit = client.post(url, json={"action": "approve", **form})
    assert (unfit.status_code, "do not fit the form" in unfit.json()["detail"]) == (409, True)
    nobody = order(client, run_id, "approve", task_key="nobody")
    assert (nobody.status_code, "open: ask" in nobody.json()["detail"]) == (409, True)
    assert order(client, run_id, "retry", task_key="nobody").status_code == 409
    assert order(client, run_id, "approve").status_code == 422
    good = client.post(url, json={"action": "approve", "task_key": "ask", "form": {"why": "fine"}})
    assert good.json()["answer"]["outcome"] == "approved"
    assert ended(client, run_id)["outputs"] == {"rows": 3}
    late = signal(client, run_id, payload={"rows": 3})
    assert (late.status_code, "nothing to signal" in late.json()["detail"]) == (409, True)
    done = [a["action"] for a in client.get("/api/racine/activities").json()["items"]]
    assert done.count("run.signal") == 3


def test_signals_keep_to_rights_and_workspaces(api: Api) -> None:
    client = api.as_admin()
    run_id = client.post(f"{URL}/{save(client, JOB)}/execute", json={}).json()["id"]
    assert signal(client, "run_none").status_code == 404
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("other")})
    assert signal(stranger, run_id).status_code == 404
    assert signal(api.as_user(["workflows:read"]), run_id).status_code == 403
    assert (
        client.post(f"{URL}/executions/{run_id}/signals/landed", json={"pay": 1}).status_code == 422
    )


def test_estimates_of_what_is_not_there_are_not_found(api: Api) -> None:
    client = api.as_admin()
    job_id = save(client, JOB)
    told = client.get(f"{URL}/{job_id}/versions/1/estimate").json()
    assert (told["critical"], [task["measured"] for task in told["tasks"]]) == (
        ["wait", "ask"], [False, False],
    )  # fmt: skip
    assert client.get(f"{URL}/{job_id}/versions/2/estimate").status_code == 404
    assert client.get(f"{URL}/job_none/versions/1/estimate").status_code == 404
    assert client.get(f"{URL}/{job_id}/versions/x/estimate").status_code == 422
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("other")})
    assert stranger.get(f"{URL}/{job_id}/versions/1/estimate").status_code == 404
    assert api.as_user().get(f"{URL}/{job_id}/versions/1/estimate").status_code == 403
