"""Large outputs, loops and fan-outs: all results are there, and no history grows too long."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client, WorkflowFailureError

from models.stores import blobs, runs, sources
from models.stores.blobs import MAX_BYTES
from models.tables.blobs import Blob
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_loops import echo, error_of, loop

WARNED = 10_240
"""Events at which Temporal warns."""
_MINUTES = 20 * 60

BODY = """
def give(n):
    return {"text": "x" * n, "size": n}
"""


def outcome(stack: Stack, run_id: str) -> dict[str, Any]:
    """Wait for the run's end and return its outputs, those in a blob too."""

    def look(session: Any) -> Any:
        run = runs.get(session, run_id)
        return run if run.ended_at else None

    run = stack.wait_for(look, seconds=_MINUTES)
    assert run.state == "completed", run.error
    return run.outputs if "ref" not in run.outputs else _blob(stack, run.outputs["ref"])


def _blob(stack: Stack, ref: str) -> dict[str, Any]:
    with stack.db.read() as session:
        found: dict[str, Any] = json.loads(blobs.get(session, "ws_1", ref).content)
    return found


def collected(stack: Stack) -> list[Any]:
    """Return what the loop's results are, from the blob that keeps them."""
    with stack.db.read() as session:
        for content in session.scalars(select(Blob.content).order_by(Blob.size.desc())):
            found = json.loads(content)
            if isinstance(found, dict) and "results" in found:
                return list(found["results"])
    raise AssertionError("no blob holds the results")


async def lengths(client: Client, workflow_id: str) -> list[int]:
    """Return the lengths of all histories of a run and its loops."""
    query = f"WorkflowId STARTS_WITH '{workflow_id}'"
    return [found.history_length async for found in client.list_workflows(query)]


def require_short_histories(stack: Stack, workflow_id: str) -> None:
    found = stack.temporal.run(lengths(stack.temporal.client, workflow_id))
    assert found
    assert max(found) < WARNED


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 5 * 1024 * 1024, 50 * 1024 * 1024])
@pytest.mark.slow
@pytest.mark.timeout(_MINUTES)
def test_a_large_output_is_kept_outside_the_history(
    idle_stack: Stack, tmp_path: Path, size: int
) -> None:
    (tmp_path / "large.py").write_text(BODY)
    spec = {"callable": "large:give", "parameters": {"n": size}}
    task = {"task_key": "big", "python_task": spec}
    document: dict[str, Any] = {
        "name": "big",
        "tasks": [task],
        "outputs": {"size": "{{ tasks.big.values.size }}"},
    }
    with run_workers(idle_stack, [tmp_path]):
        run_id = idle_stack.start(idle_stack.save(document))
        assert idle_stack.result(run_id).outputs == {"size": size}
    handle = idle_stack.temporal.client.get_workflow_handle(f"big/{run_id}")
    history = idle_stack.temporal.run(handle.fetch_history())
    assert max(event.ByteSize() for event in history.events) < 256 * 1024


@pytest.mark.slow
@pytest.mark.timeout(_MINUTES)
def test_an_output_over_the_cap_fails_its_task_with_the_reason(
    idle_stack: Stack, tmp_path: Path
) -> None:
    (tmp_path / "large.py").write_text(BODY)
    spec = {"callable": "large:give", "parameters": {"n": MAX_BYTES + 1}}
    with run_workers(idle_stack, [tmp_path]):
        task = {"task_key": "big", "python_task": spec}
        run_id = idle_stack.start(idle_stack.save({"name": "big", "tasks": [task]}))
        with pytest.raises(WorkflowFailureError):
            idle_stack.result(run_id)
    error = error_of(idle_stack, run_id)
    assert error["task_key"] == "big"
    assert "bytes" in error["message"]


@pytest.mark.slow
@pytest.mark.timeout(_MINUTES)
def test_20_000_iterations_of_a_sub_graph(stack: Stack) -> None:
    count = 20_000
    body = [echo("a", "{{ item }}"), echo("b", "{{ tasks.a.values.value * 2 }}", "a")]
    each = loop("each", "{{ params.n }}", *body, concurrency=100,
                collect="{{ tasks.b.values.value }}")  # fmt: skip
    document: dict[str, Any] = {
        "name": "wide", "parameters": [{"name": "n"}], "tasks": [each],
        "outputs": {"done": "{{ tasks.each.values.succeeded }}"},
    }  # fmt: skip
    run_id = stack.start(stack.save(document), n=list(range(count)))
    outputs = outcome(stack, run_id)
    assert outputs["done"] == count
    assert collected(stack) == [n * 2 for n in range(count)]
    require_short_histories(stack, f"wide/{run_id}")


@pytest.mark.slow
@pytest.mark.timeout(_MINUTES)
def test_1_000_000_items_in_batches(stack: Stack, tmp_path: Path) -> None:
    count = 1_000_000
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "numbers.jsonl").write_text("\n".join(map(str, range(count))))
    with stack.db.write() as session:
        sources.register(session, "ws_1", name="data", kind="files", location=str(folder))
    each = loop("each", {"source": "data", "file": "numbers.jsonl"},
                echo("x", "{{ item[0] + size(item) - 1 }}"),
                batch_size=1000, concurrency=50, collect="{{ tasks.x.values.value }}")  # fmt: skip
    outputs = {"done": "{{ tasks.each.values.succeeded }}"}
    run_id = stack.start(stack.save({"name": "batches", "tasks": [each], "outputs": outputs}))
    assert outcome(stack, run_id) == {"done": count // 1000}
    assert collected(stack) == list(range(999, count, 1000))
    require_short_histories(stack, f"batches/{run_id}")


@pytest.mark.slow
@pytest.mark.timeout(_MINUTES)
def test_a_fan_out_of_5_000(stack: Stack) -> None:
    count = 5_000
    tasks = [echo(f"t{n}", n) for n in range(count)]
    outputs = {"first": "{{ tasks.t0.values.value }}", "last": "{{ tasks.t4999.values.value }}"}
    run_id = stack.start(stack.save({"name": "fan", "tasks": tasks, "outputs": outputs}))
    assert outcome(stack, run_id) == {"first": 0, "last": count - 1}
    done = {key for key, kind in _ended(stack, run_id, count) if kind == "succeeded"}
    assert done == {f"t{n}" for n in range(count)}
    require_short_histories(stack, f"fan/{run_id}")


def _ended(stack: Stack, run_id: str, count: int) -> list[tuple[str, str]]:
    def look(session: Any) -> Any:
        events = runs.events_after(session, run_id, 0, limit=10 * count)
        found = [(event.task_key, event.kind) for event in events]
        return found if any(kind.startswith("run_") for _, kind in found) else None

    found: list[tuple[str, str]] = stack.wait_for(look, seconds=60)
    return found
