"""Runs over HTTP, with a real Temporal server and real workers behind the API."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.server import Api

URL = "/api/racine/workflows"
NOOP = {"operation": "racine.noop", "input": {"value": "{{ params.value }}"}}
JOB: dict[str, Any] = {
    "name": "echo",
    "parameters": [{"name": "value", "schema": {"type": "integer", "minimum": 0}, "default": 7}],
    "tasks": [{"task_key": "a", "operation_task": NOOP}],
    "outputs": {"value": "{{ tasks.a.values.value }}"},
}


def save(client: httpx.Client, document: dict[str, Any] = JOB) -> str:
    return str(client.post(URL, json={"document": document}).json()["id"])


def ended(client: httpx.Client, run_id: str) -> dict[str, Any]:
    """Return the status once the run has ended."""
    deadline = time.monotonic() + 120
    while True:
        path = f"{URL}/executions/{run_id}/status"
        answer: dict[str, Any] = client.get(path, params={"wait": 20}, timeout=60).json()
        if answer["state"] not in ("scheduled", "running", "paused"):
            return answer
        assert time.monotonic() < deadline, answer


def stream(client: httpx.Client, run_id: str, **headers: str) -> list[dict[str, str]]:
    """Return the frames of a log stream that was read to its end."""
    frames: list[dict[str, str]] = []
    with client.stream("GET", f"{URL}/executions/{run_id}/logs/stream", headers=headers) as answer:
        assert answer.status_code == 200
        frame: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                key, _, value = line.partition(": ")
                frame[key] = value
            elif frame:
                frames.append(frame)
                frame = {}
    return frames


@pytest.mark.usefixtures("workers")
def test_a_run_is_started_watched_and_listed(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin()
    job_id = save(client)
    started = client.post(f"{URL}/{job_id}/execute", json={"parameters": {"value": 3}})
    assert started.status_code == 202
    run_id = started.json()["id"]
    assert started.headers["location"] == f"{URL}/executions/{run_id}"
    assert ended(client, run_id) == {
        "id": run_id, "state": "completed", "outputs": {"value": 3}, "error": None, "pending": [],
    }  # fmt: skip
    found = client.get(started.headers["location"]).json()
    assert (found["state"], found["parameters"], found["version"]) == (
        "completed", {"value": 3}, 1,
    )  # fmt: skip
    for path in (f"{URL}/executions", f"{URL}/{job_id}/executions"):
        assert [run["id"] for run in client.get(path).json()["items"]] == [run_id]
        failed = client.get(path, params={"state": "failed"}).json()["items"]
        assert failed == []


def test_parameters_that_no_history_takes_are_refused(api: Api) -> None:
    client = api.as_admin()
    job_id = save(
        client,
        {
            "name": "many",
            "parameters": [{"name": "rows"}],
            "tasks": [{"task_key": "a", "noop_task": {}}],
        },
    )
    body = {"parameters": {"rows": list(range(100_000))}}
    answer = client.post(f"{URL}/{job_id}/execute", json=body)
    assert answer.status_code == 422
    assert "524,288" in answer.json()["detail"]
    assert "by reference" in answer.json()["next_step"]
    assert client.get(f"{URL}/executions").json()["items"] == []


@pytest.mark.usefixtures("workers")
def test_a_log_stream_ends_with_the_run_and_resumes_where_it_stopped(
    api_with_temporal: Api,
) -> None:
    client = api_with_temporal.as_admin()
    run_id = client.post(f"{URL}/{save(client)}/execute", json={}).json()["id"]
    frames = stream(client, run_id)
    assert frames[-1]["event"] == "end"
    events = [json.loads(frame["data"]) for frame in frames[:-1]]
    assert [str(event["id"]) for event in events] == [frame["id"] for frame in frames[:-1]]
    kinds = [(event["task_key"], event["kind"]) for event in events]
    assert {("a", "started"), ("a", "succeeded"), ("", "run_completed")} <= set(kinds)
    rest = stream(client, run_id, **{"Last-Event-ID": frames[0]["id"]})
    assert rest == frames[1:]


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize("count", [3, 120], ids=["inline", "in workflows of their own"])
def test_the_log_of_a_loop_comes_live_and_resumes_by_attempt_and_iteration(
    api_with_temporal: Api, count: int
) -> None:
    client = api_with_temporal.as_admin()
    body: list[dict[str, Any]] = [
        {"task_key": "first", "operation_task": {"operation": "racine.noop"}},
        {"task_key": "ask", "approval_task": {"self_approval": True},
         "depends_on": [{"task_key": "first"}], "condition": "item == 1"},
    ]  # fmt: skip
    loop = {"inputs": list(range(count)), "concurrency": count if count < 100 else 10,
            "tasks": body}  # fmt: skip
    document = {"name": "rounds", "tasks": [{"task_key": "each", "for_each_task": loop}]}
    run_id = client.post(f"{URL}/{save(client, document)}/execute", json={}).json()["id"]

    before = until_asked(client, run_id)
    # All this came while the run was open: it still waits for a person.
    assert client.get(f"{URL}/executions/{run_id}").json()["state"] == "running"
    order = {"action": "approve", "task_key": "each[1].ask", "request_id": f"{run_id}-yes"}
    control = f"{URL}/executions/{run_id}/control"
    assert client.post(control, json=order).is_success
    after = stream(client, run_id, **{"Last-Event-ID": before[-1]["id"]})
    assert after[-1]["event"] == "end"
    both = [*before, *after[:-1]]
    assert both == stream(client, run_id)[:-1], "a stream that broke off lost or doubled something"

    events = [json.loads(frame["data"]) for frame in both]
    told = {(event["task_key"], event["attempt"], event["kind"]) for event in events}
    assert {(f"each[{n}].first", 1, "succeeded") for n in range(count)} <= told
    assert ("each[1].ask", 0, "succeeded") in told


def until_asked(client: httpx.Client, run_id: str) -> list[dict[str, str]]:
    """Return the frames of a log that come until a person is asked, then hang up."""
    frames: list[dict[str, str]] = []
    frame: dict[str, str] = {}
    with client.stream("GET", f"{URL}/executions/{run_id}/logs/stream") as answer:
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if line:
                frame[key] = value
            elif "data" in frame:
                frames.append(frame)
                if json.loads(frame["data"])["kind"] == "waiting":
                    return frames
                frame = {}
    raise AssertionError("the log ended before anybody was asked")


def test_parameters_are_checked_before_anything_is_written(api: Api) -> None:
    client = api.as_admin()
    job_id = save(client)
    answer = client.post(f"{URL}/{job_id}/execute", json={"parameters": {"value": -1, "x": 2}})
    assert answer.status_code == 422
    pointers = {fault["pointer"] for fault in answer.json()["errors"]}
    assert pointers == {"/parameters/value", "/parameters/x"}
    assert client.get(f"{URL}/executions").json()["items"] == []


def test_without_temporal_a_start_is_kept_and_the_status_is_unknown(api: Api) -> None:
    client = api.as_admin()
    started = client.post(f"{URL}/{save(client)}/execute", json={})
    assert (started.status_code, started.json()["state"]) == (202, "scheduled")
    run_id = started.json()["id"]
    assert client.get(f"{URL}/executions/{run_id}").json()["state"] == "scheduled"
    status = client.get(f"{URL}/executions/{run_id}/status")
    assert (status.status_code, status.headers["retry-after"]) == (503, "2")


def test_an_unknown_run_and_another_workspaces_are_the_same(api: Api) -> None:
    client = api.as_admin()
    run_id = client.post(f"{URL}/{save(client)}/execute", json={}).json()["id"]
    stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("other")})
    for path in ("", "/status", "/status?wait=5", "/logs/stream"):
        assert stranger.get(f"{URL}/executions/{run_id}{path}").status_code == 404
        assert client.get(f"{URL}/executions/run_nope{path}").status_code == 404
    order = {"action": "pause"}
    assert stranger.post(f"{URL}/executions/{run_id}/control", json=order).status_code == 404


@pytest.mark.usefixtures("workers")
def test_a_hundred_starts_with_one_key_are_one_run(api_with_temporal: Api) -> None:
    client = api_with_temporal.as_admin(**{"Idempotency-Key": "nightly-2026-11-21"})
    job_id = save(api_with_temporal.as_admin())
    body = {"parameters": {"value": 2}}

    def start(_: int) -> httpx.Response:
        while True:
            answer = client.post(f"{URL}/{job_id}/execute", json=body)
            if answer.status_code != 409:  # the first is still being answered
                return answer
            time.sleep(0.02)

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(start, range(100)))
    assert {answer.status_code for answer in answers} == {202}
    (run_id,) = {answer.json()["id"] for answer in answers}
    other = client.post(f"{URL}/{job_id}/execute", json={"parameters": {"value": 3}})
    assert other.status_code == 422
    assert ended(client, run_id)["outputs"] == {"value": 2}
    assert [run["id"] for run in client.get(f"{URL}/executions").json()["items"]] == [run_id]


def test_a_start_tells_every_right_that_its_job_would_miss(api: Api) -> None:
    tasks = [
        {"task_key": "judge",
         "operation_task": {"operation": "compliance.validate", "input": {"scan_id": "s"}}},
        {"task_key": "each",
         "for_each_task": {"inputs": [1], "tasks": [
             {"task_key": "sum_up",
              "operation_task": {"operation": "compliance.score", "input": {"source_id": "s"}}}]}},
    ]  # fmt: skip
    document = {"name": "judging", "tasks": tasks}
    job_id = save(api.as_admin(), document)
    runner = api.as_user(["workflows:*"])
    refused = runner.post(f"{URL}/{job_id}/execute", json={})
    assert refused.status_code == 403
    assert refused.json()["permissions"] == ["compliance:read", "compliance:run"]
    assert "compliance:read for compliance.score" in refused.json()["detail"]
    wish = {"name": "nightly", "cron": "30 2 * * *"}
    assert runner.post(f"{URL}/{job_id}/schedules", json=wish).status_code == 403
    told = runner.post(f"{URL}/validate", json={"document": document}).json()
    assert [hint["code"] for hint in told["hints"]] == ["permission", "permission"]
    assert runner.get(f"{URL}/executions").json()["items"] == []
    allowed = api.as_user(["workflows:*", "compliance:*"])
    assert allowed.post(f"{URL}/{job_id}/execute", json={}).status_code == 202
