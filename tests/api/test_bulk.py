"""One order to many runs over HTTP."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.reconciler import Reconciler
from tests.api.server import Api
from tests.api.test_controls import asked
from tests.api.test_executions import URL, ended, save
from tests.api.test_repairs import FLAKY, task
from tests.conftest import Temporal

ASKING: dict[str, Any] = {
    "name": "asking",
    "tasks": [{"task_key": "ask", "approval_task": {"self_approval": True}}],
}


def order(client: httpx.Client, action: str, **more: Any) -> httpx.Response:
    body = {"action": action, "where": {}, **more}
    return client.post(f"{URL}/executions/control", json=body)


def begin(client: httpx.Client, job_id: str, many: int) -> list[str]:
    path = f"{URL}/{job_id}/execute"
    return [client.post(path, json={}).json()["id"] for _ in range(many)]


@pytest.mark.usefixtures("workers")
def test_all_runs_of_a_job_are_paused_resumed_and_cancelled(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    job_id = save(client, ASKING)
    runs = begin(client, job_id, 3)
    (other,) = begin(client, save(client, ASKING | {"name": "other"}), 1)
    for run_id in (*runs, other):
        asked(client, run_id)
    where = {"job_id": job_id}
    shown = order(client, "cancel", where=where, dry_run=True).json()
    assert (shown["count"], [run["state"] for run in shown["items"]]) == (3, ["preview"] * 3)
    for action, was in (("pause", "running"), ("resume", "paused")):
        told = order(client, action, where=where, request_id=f"r-{action}").json()
        reached = {(run["run_id"], run["was"], run["state"]) for run in told["items"]}
        assert reached == {(run_id, was, "applied") for run_id in runs}
    first = order(client, "cancel", where=where, limit=2, reason="over").json()
    assert ([run["run_id"] for run in first["items"]], first["count"]) == ([runs[2], runs[1]], 3)
    rest = order(client, "cancel", where=where, limit=2, cursor=first["next_cursor"]).json()
    assert ([run["run_id"] for run in rest["items"]], rest["next_cursor"]) == ([runs[0]], None)
    assert {ended(client, run_id)["state"] for run_id in runs} == {"cancelled"}
    assert order(client, "cancel", where=where).json()["count"] == 0
    assert client.get(f"{URL}/executions/{other}").json()["state"] == "running"
    actions = [a["action"] for a in client.get("/api/racine/activities").json()["items"]]
    assert [actions.count(f"run.{name}") for name in ("pause", "resume", "cancel")] == [3, 3, 3]


@pytest.mark.usefixtures("workers")
def test_what_has_failed_is_repaired_with_the_latest_version(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    job_id = save(client, FLAKY)
    runs = begin(client, job_id, 2)
    assert [ended(client, run_id)["state"] for run_id in runs] == ["failed", "failed"]
    good, _, after = FLAKY["tasks"]
    mended = FLAKY | {"tasks": [good, task("bad", 7, "good"), after]}
    client.put(f"{URL}/{job_id}", json={"document": mended}, headers={"If-Match": '"1"'})
    told = order(client, "repair", version="latest", reason="mended").json()
    assert {(run["run_id"], run["was"]) for run in told["items"]} == {
        (run_id, "failed") for run_id in runs
    }
    assert [ended(client, run_id)["outputs"] for run_id in runs] == [{"sum": 12}] * 2
    detail = client.get(f"{URL}/executions/{runs[0]}").json()
    assert [entry["reason"] for entry in detail["repairs"]] == ["mended"]


@pytest.mark.usefixtures("workers")
def test_a_run_that_refuses_keeps_no_other_from_obeying(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    jobs = [save(client, FLAKY | {"name": name}) for name in ("gone", "stays")]
    gone, stays = (begin(client, job_id, 1)[0] for job_id in jobs)
    assert {ended(client, run_id)["state"] for run_id in (gone, stays)} == {"failed"}
    client.delete(f"{URL}/{jobs[0]}", headers={"If-Match": '"1"'})
    told = {run["run_id"]: run for run in order(client, "repair").json()["items"]}
    assert (told[gone]["state"], told[stays]["state"]) == ("refused", "running")
    assert "archived" in told[gone]["message"]
    assert len(client.get(f"{URL}/executions/{stays}").json()["repairs"]) == 1


def test_what_nobody_answers_is_kept_and_given_later(
    api_with_temporal: Api, temporal: Temporal, request: pytest.FixtureRequest
) -> None:
    client = api_with_temporal.as_admin()
    runs = begin(client, save(client, ASKING), 2)
    told = order(client, "cancel", request_id="r-1").json()
    assert [run["state"] for run in told["items"]] == ["pending", "pending"]
    request.getfixturevalue("workers")
    temporal.run(Reconciler(api_with_temporal.db, temporal.client, grace=timedelta()).deliver())
    assert [ended(client, run_id)["state"] for run_id in runs] == ["cancelled", "cancelled"]


def test_orders_that_make_no_sense_are_refused(api: Api) -> None:
    client = api.as_admin()
    single = order(client, "approve")
    assert (single.status_code, "pause, resume, cancel" in single.text) == (422, True)
    assert order(client, "cancel", where={"job_id": "job_none"}).status_code == 404
    assert order(client, "cancel", where={"since": "2026-01-01T00:00:00"}).status_code == 422
    assert order(client, "cancel", where={"job": "hello"}).status_code == 422
    reader = api.as_user(["workflows:read"])
    assert order(reader, "cancel").status_code == 403
    assert order(reader, "cancel", dry_run=True).status_code == 403


@pytest.mark.usefixtures("workers")
def test_runs_are_listed_by_what_began_them_and_when(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    first, second = begin(client, save(client), 2)
    made = client.get(f"{URL}/executions/{second}").json()["created_at"]

    def listed(**query: str) -> list[str]:
        found = client.get(f"{URL}/executions", params=query).json()["items"]
        return [run["id"] for run in found]

    assert (listed(since=made), listed(until=made)) == ([second], [first])
    assert (listed(trigger="manual"), listed(trigger="schedule")) == ([second, first], [])
