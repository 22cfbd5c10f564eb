"""Index and Temporal come to agree, whatever broke between them."""

import asyncio
import subprocess
import time
from datetime import timedelta

import pytest

from models.session import Database
from models.stores import leases, runs
from models.tables.runs import Run
from racine.engine.states import RunState
from services import executions
from services.reconciler import Reconciler
from tests.conftest import Temporal
from tests.temporal.conftest import Stack
from tools.temporal.binary import temporal_binary

JOB: dict[str, object] = {
    "name": "echo",
    "tasks": [{"task_key": "a", "operation_task": {"operation": "racine.noop"}}],
}


def run_of(db: Database, run_id: str) -> Run:
    with db.read() as session:
        return runs.get(session, run_id)


def reconciler(stack: Stack) -> Reconciler:
    return Reconciler(stack.db, stack.temporal.client, grace=timedelta())


def record(stack: Stack) -> executions.Launch:
    job_id = stack.save(JOB)
    with stack.db.write() as session:
        return executions.record(session, stack.actor, job_id, {})


def test_a_run_recorded_by_a_process_that_died_is_started_once(stack: Stack) -> None:
    launch = record(stack)
    for _ in range(2):
        assert stack.temporal.run(reconciler(stack).round())
    assert stack.result(launch.run_id).state == "completed"
    handle = stack.temporal.client.get_workflow_handle(launch.workflow_id)
    first = stack.temporal.run(handle.describe()).run_id
    # The same start once more, as when only its acknowledgement was lost.
    stack.temporal.run(executions.start(stack.temporal.client, launch))
    assert stack.temporal.run(handle.describe()).run_id == first
    assert run_of(stack.db, launch.run_id).state == "completed"


def test_a_run_terminated_by_an_operator_is_seen_within_ten_seconds(
    idle_stack: Stack, temporal: Temporal
) -> None:
    run_id = idle_stack.start(idle_stack.save(JOB))
    assert run_of(idle_stack.db, run_id).state == RunState.RUNNING
    stop = asyncio.Event()
    serving = asyncio.run_coroutine_threadsafe(
        Reconciler(idle_stack.db, temporal.client).serve(stop), temporal.loop
    )
    subprocess.run(
        [str(temporal_binary()), "workflow", "terminate", "--address", temporal.address,
         "--workflow-id", f"echo/{run_id}", "--reason", "an operator's wish"],
        check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while (run := run_of(idle_stack.db, run_id)).state != RunState.TERMINATED:
        assert time.monotonic() < deadline, run.state
        time.sleep(0.05)
    assert ("", "run_terminated") in idle_stack.events(run_id)
    temporal.loop.call_soon_threadsafe(stop.set)
    serving.result(60)


def test_a_run_that_temporal_lost_has_failed(idle_stack: Stack) -> None:
    launch = record(idle_stack)
    executions.mark_started(idle_stack.db, launch.run_id)
    idle_stack.temporal.run(reconciler(idle_stack).round())
    run = run_of(idle_stack.db, launch.run_id)
    assert run.state == RunState.FAILED
    assert run.error is not None
    assert run.error["code"] == "lost"


def test_a_run_that_began_a_moment_ago_is_left_to_visibility(idle_stack: Stack) -> None:
    launch = record(idle_stack)
    executions.mark_started(idle_stack.db, launch.run_id)
    patient = Reconciler(idle_stack.db, idle_stack.temporal.client, grace=timedelta(minutes=10))
    assert idle_stack.temporal.run(patient.round())
    assert run_of(idle_stack.db, launch.run_id).state == RunState.RUNNING


def test_visibility_tells_of_runs_beyond_those_looked_at(idle_stack: Stack) -> None:
    """More open runs than a round describes: the closed one is found all the same."""
    job_id = idle_stack.save(JOB)
    run_ids = [idle_stack.start(job_id) for _ in range(60)]
    at_work = reconciler(idle_stack)
    idle_stack.temporal.run(at_work.round())
    last = idle_stack.temporal.client.get_workflow_handle(f"echo/{run_ids[0]}")
    idle_stack.temporal.run(last.terminate())
    deadline = time.monotonic() + 60
    while run_of(idle_stack.db, run_ids[0]).state != RunState.TERMINATED:
        # Each time a new one, whose turn begins with the runs that were started first; they are
        # kept from it here, so that only visibility can tell.
        fresh = reconciler(idle_stack)
        fresh._looked_at = run_ids[0]
        idle_stack.temporal.run(fresh.round())
        assert time.monotonic() < deadline
    states = [run_of(idle_stack.db, run_id).state for run_id in run_ids[1:]]
    assert set(states) == {RunState.RUNNING}


def test_only_the_holder_of_the_lease_acts(stack: Stack) -> None:
    launch = record(stack)
    with stack.db.write() as session:
        assert leases.take(session, "reconciler", "another process", 60)
    assert not stack.temporal.run(reconciler(stack).round())
    assert not run_of(stack.db, launch.run_id).started


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.CANCELLED])
def test_an_end_that_is_written_stays(idle_stack: Stack, state: RunState) -> None:
    run_id = idle_stack.start(idle_stack.save(JOB))
    with idle_stack.db.write() as session:
        runs.finish(session, run_id, state, {}, None)
    handle = idle_stack.temporal.client.get_workflow_handle(f"echo/{run_id}")
    idle_stack.temporal.run(handle.terminate())
    idle_stack.temporal.run(reconciler(idle_stack).round())
    assert run_of(idle_stack.db, run_id).state == state
