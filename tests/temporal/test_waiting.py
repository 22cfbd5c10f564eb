"""Every task that is not at work says why, from the real parts."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from activities.names import ACTIVITY_QUEUE, WORKFLOW_QUEUE
from models.stores import runs
from racine.engine.states import TaskState
from services import controls, executions, summaries, waiting
from services.status import PendingTask
from services.summaries import TaskView
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_pools import give_back, hold, make_pool, order, task, wait_for_queue

ASK: dict[str, Any] = {
    "task_key": "ask",
    "approval_task": {"self_approval": True, "required": 2, "approvers": ["role:stewards"]},
}


def views(stack: Stack, run_id: str) -> dict[str, TaskView]:
    """The run's tasks as the API shows them, by key."""
    with stack.db.read() as session:
        run, found = summaries.of_run(session, stack.actor, run_id)
        known = waiting.known(session, run)
    live = stack.temporal.run(waiting.live(stack.temporal.client, run))
    waiting.explain(run, found, known, live)
    return {view.key: view for view in found}


def until(stack: Stack, run_id: str, says: Callable[[dict[str, TaskView]], bool]) -> None:
    deadline = time.monotonic() + 60
    while not says(found := views(stack, run_id)):
        assert time.monotonic() < deadline, str({k: v.waiting for k, v in found.items()})
        time.sleep(0.05)


def test_each_kind_of_wait_has_its_sentence(stack: Stack) -> None:
    make_pool(stack, slots=4)
    holder = stack.start(stack.save({"name": "holder", "tasks": [ASK]}))
    hold(stack, holder, slots=3)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    noop = task("inner", pool="warehouse", pool_slots=2)
    broken = {"operation": "scan_logic.scan", "input": {"scan_id": "{{ 'scn_none' }}"}}
    tasks = [
        ASK,
        task("pooled", pool="warehouse", pool_slots=2),
        {"task_key": "each", "for_each_task": {"inputs": [1, 2], "tasks": [noop]}},
        {"task_key": "sleep", "wait_task": {"until": later}},
        task("after", "ask", "pooled"),
        {"task_key": "scan", "operation_task": broken},
        task("never", "scan"),
        task("off", disabled=True),
    ]
    run_id = stack.start(stack.save({"name": "waits", "tasks": tasks}))
    wait_for_queue(stack, run_id, 3)
    sentences = {
        "ask": "It waits for 2 approvals by role:stewards.",
        "pooled": "It waits for 2 slots of its 4 of the pool 'warehouse': number 1 in line.",
        "each": "2 of its tasks wait for the pool 'warehouse'.",
        "sleep": f"It waits until {later}.",
        "after": "It waits for ask, pooled.",
        "never": "Its run_if ALL_SUCCESS was not met: scan failed.",
        "off": "It is disabled.",
    }
    # The log is written in batches: the sentences come with it.
    until(stack, run_id, lambda found: {k: found[k].waiting for k in sentences} == sentences)
    give_back(stack, holder)
    until(stack, run_id, lambda found: found["pooled"].state == "succeeded")
    order(stack, run_id, controls.Action.CANCEL)
    stack.wait_for(lambda session: runs.get(session, run_id).state == "cancelled" or None)


def test_a_queued_run_s_tasks_tell_its_place(idle_stack: Stack) -> None:
    job_id = idle_stack.save({"name": "single", "max_concurrent_runs": 1, "tasks": [task("a")]})
    with idle_stack.db.write() as session:
        for _ in range(2):
            launch = executions.record(session, idle_stack.actor, job_id, {})
    found = views(idle_stack, launch.run_id)
    assert found["a"].waiting == (
        "The run is number 1 in its job's queue: One run of the job may go on at once."
    )


def test_a_run_without_workers_says_which_queue_has_none(idle_stack: Stack) -> None:
    run_id = idle_stack.start(idle_stack.save({"name": "alone", "tasks": [task("a")]}))
    with idle_stack.db.read() as session:
        run, (view,) = summaries.of_run(session, idle_stack.actor, run_id)
    idle = {WORKFLOW_QUEUE: f"No worker takes from {WORKFLOW_QUEUE}. Start worker.py."}
    waiting.explain(run, [view], waiting.Known(), waiting.Live(idle=idle))
    assert view.waiting == idle[WORKFLOW_QUEUE]
    held = PendingTask("a", "racine.noop", "running", 1, task_queue=ACTIVITY_QUEUE)
    gone = {ACTIVITY_QUEUE: f"No worker takes from {ACTIVITY_QUEUE}. Start worker.py."}
    waiting.explain(run, [view], waiting.Known(), waiting.Live({"a": held}, gone))
    # It had begun: its worker is gone, and nothing goes on.
    assert (view.state, view.waiting) == (TaskState.RUNNING, gone[ACTIVITY_QUEUE])


def test_a_retry_says_which_and_when(idle_stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "wobbly.py").write_text("def load():\n    raise OSError('not now')\n")
    patience = {"maximum_attempts": 5, "initial_interval_seconds": 600,
                "maximum_interval_seconds": 600}  # fmt: skip
    load = {"task_key": "load", "python_task": {"callable": "wobbly:load"},
            "retry_policy": patience}  # fmt: skip
    with run_workers(idle_stack, [tmp_path]):
        run_id = idle_stack.start(idle_stack.save({"name": "retries", "tasks": [load]}))
        until(idle_stack, run_id, lambda found: "Attempt 2 of 5" in found["load"].waiting)
