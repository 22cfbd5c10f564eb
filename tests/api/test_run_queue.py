"""What the API says of a run that is one too many."""

from typing import Any

from tests.api.server import Api

JOB: dict[str, Any] = {
    "name": "single",
    "parameters": [{"name": "day"}],
    "max_concurrent_runs": 1,
    "tasks": [{"task_key": "a", "noop_task": {}}],
}
URL = "/api/racine/workflows"


def test_a_queued_run_tells_its_place_and_who_holds_the_slots(api: Api) -> None:
    admin = api.as_admin()
    job_id = admin.post(URL, json={"document": JOB}).json()["id"]
    first = admin.post(f"{URL}/{job_id}/execute", json={}).json()
    second = admin.post(f"{URL}/{job_id}/execute", json={})
    assert (second.status_code, second.json()["state"]) == (202, "queued")
    found = admin.get(second.headers["Location"]).json()
    assert found["turn"] == {
        "position": 1,
        "reason": "One run of the job may go on at once.",
        "holders": [first["id"]],
    }
    status = admin.get(f"{URL}/executions/{found['id']}/status").json()
    assert status["state"] == "queued"
    control = f"{URL}/executions/{found['id']}/control"
    assert admin.post(control, json={"action": "pause"}).status_code == 409
    assert admin.post(control, json={"action": "cancel"}).json()["state"] == "applied"
    assert admin.get(f"{URL}/executions?state=queued").json()["items"] == []


def test_without_a_queue_the_run_is_refused_and_the_holders_are_named(api: Api) -> None:
    admin = api.as_admin()
    document = JOB | {"queue": {"enabled": False}}
    job_id = admin.post(URL, json={"document": document}).json()["id"]
    first = admin.post(f"{URL}/{job_id}/execute", json={}).json()
    refused = admin.post(f"{URL}/{job_id}/execute", json={})
    assert refused.status_code == 409
    assert first["id"] in refused.json()["detail"]
    listed = admin.get(f"{URL}/{job_id}/executions").json()["items"]
    assert [run["id"] for run in listed] == [first["id"]]


def test_a_key_reads_declared_parameters_and_nothing_else(api: Api) -> None:
    admin = api.as_admin()
    document = JOB | {"concurrency_key": "{{ params.night }}/{{ tasks.a.values.x }}"}
    answer = admin.post(URL, json={"document": document})
    assert answer.status_code == 422
    faults = answer.json()["errors"]
    assert {fault["pointer"] for fault in faults} == {"/concurrency_key"}
    assert len(faults) == 2
