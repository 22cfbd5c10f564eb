"""`python_task` in real runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models.stores import blobs, runs
from tests.api.server import serve
from tests.temporal.conftest import Stack, run_workers

FOLDER = Path(__file__).parent.parent / "activities/python"


@pytest.fixture
def coder(idle_stack: Stack) -> Iterator[Stack]:
    """A workspace whose workers find the users' module."""
    with run_workers(idle_stack, [FOLDER]):
        yield idle_stack


def python(key: str, name: str, *upstream: str, **more: Any) -> dict[str, Any]:
    parameters = more.pop("parameters", {})
    return {
        "task_key": key,
        "python_task": {"callable": f"user_code:{name}", "parameters": parameters},
        "depends_on": [{"task_key": up} for up in upstream],
        "retry_policy": {"maximum_attempts": 2, "initial_interval_seconds": 0.01},
        **more,
    }


def events_of(stack: Stack, run_id: str) -> list[tuple[str, str, int, dict[str, Any]]]:
    stack.events(run_id)
    with stack.db.read() as session:
        found = runs.events_after(session, run_id, 0)
        return [(e.task_key, e.kind, e.attempt, e.body) for e in found]


def test_values_flow_and_output_becomes_events(coder: Stack) -> None:
    document: dict[str, Any] = {
        "name": "doubles",
        "parameters": [{"name": "n"}],
        "tasks": [
            python("a", "double", parameters={"n": "{{ params.n }}"}),
            python("b", "double", "a", parameters={"n": "{{ tasks.a.values.twice }}"}),
        ],
        "outputs": {"n": "{{ tasks.b.values.twice }}"},
    }
    run_id = coder.start(coder.save(document), n=3)
    assert coder.result(run_id).outputs == {"n": 12}
    events = events_of(coder, run_id)
    logged = [body["line"] for key, kind, _, body in events if kind == "log" and key == "a"]
    assert sorted(logged) == ["careful", "doubling 3"]
    (done,) = [body for key, kind, _, body in events if (key, kind) == ("a", "succeeded")]
    assert done["cpu_seconds"] >= 0
    assert done["peak_memory_bytes"] > 1 << 20


def test_poison_ends_its_attempts_and_nothing_else(coder: Stack) -> None:
    document: dict[str, Any] = {
        "name": "crashes",
        "tasks": [
            python("dies", "segfault"),
            python("leaves", "leave"),
            python("loops", "forever", start_to_close_timeout_seconds=1),
            python("eats", "eats_ten_gigabytes"),
            python("fine", "double", parameters={"n": 1}),
        ],
    }
    run_id = coder.start(coder.save(document))
    with pytest.raises(WorkflowFailureError):
        coder.result(run_id)
    events = events_of(coder, run_id)
    failed = {(key, body["code"], a) for key, kind, a, body in events if kind == "failed"}
    for key in ("dies", "leaves"):
        assert {(key, "process_died", 1), (key, "process_died", 2)} <= failed
    assert {("loops", "timeout", 2), ("eats", "MemoryError", 2)} <= failed
    assert ("fine", "succeeded") in {(key, kind) for key, kind, _, _ in events}


def test_the_text_of_an_error_is_shown_to_those_who_ask(coder: Stack, tmp_path: Path) -> None:
    document: dict[str, Any] = {
        "name": "leaks",
        "tasks": [python("a", "fails", parameters={"value": "anna@example.org"})],
    }
    run_id = coder.start(coder.save(document))
    with pytest.raises(WorkflowFailureError):
        coder.result(run_id)
    with coder.db.read() as session:
        error = runs.get(session, run_id).error
        assert error is not None
        assert "ValueError at user_code.py:" in error["message"]
        assert "anna" not in str(error)
        blob = blobs.get(session, "ws_1", error["traceback"])
    assert b"cannot use anna@example.org" in blob.content
    failures = [body for _, kind, _, body in events_of(coder, run_id) if kind == "failed"]
    assert failures
    assert "anna" not in str(failures)
    path = f"/api/racine/workflows/executions/{run_id}/tasks/{{}}/traceback"
    with serve(coder.db, tmp_path) as api:
        shown = api.as_admin().get(path.format("a"))
        assert shown.headers["content-type"].startswith("text/plain")
        assert "ValueError: cannot use anna@example.org" in shown.text
        assert api.as_admin().get(path.format("b")).status_code == 404
        assert api.as_user().get(path.format("a")).status_code == 403
        stranger = api.as_admin(**{"Racine-Workspace": api.new_workspace("other")})
        assert stranger.get(path.format("a")).status_code == 404
