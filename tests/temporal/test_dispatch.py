"""Which worker takes a task, how soon, and what a task says when none does."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session
from temporalio.api.common.v1 import Priority
from temporalio.client import WorkflowFailureError

from activities.names import FINISH_RUN
from models.stores import runs, sources, workspaces
from racine.definitions.validation import validate
from racine.engine.plan import compile_plan
from services import summaries, waiting
from tests.temporal.conftest import Stack
from tests.temporal.test_loops import echo
from worker import activity_worker, opened


def noop(key: str, **more: Any) -> dict[str, Any]:
    spec = {"operation": "racine.noop", "input": {"value": 1}}
    return {"task_key": key, "operation_task": spec, **more}


def error_of(stack: Stack, run_id: str) -> dict[str, Any]:
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    with stack.db.read() as session:
        return runs.get(session, run_id).error or {}


@contextmanager
def serving(stack: Stack, queue: str, folder: Path) -> Iterator[None]:
    """Serve a named queue with a worker of its own."""
    workers = AsyncExitStack()
    with opened(stack.db, folder) as parts:

        async def enter() -> None:
            await workers.enter_async_context(activity_worker(stack.temporal.client, parts, queue))

        stack.temporal.run(enter())
        yield
        stack.temporal.run(workers.aclose())


def test_a_task_waits_for_the_workers_of_its_queue_and_says_so(
    stack: Stack, tmp_path: Path
) -> None:
    document: dict[str, Any] = {"name": "routed", "tasks": [noop("a"), noop("b", task_queue="gpu")]}
    run_id = stack.start(stack.save(document))

    def why(session: Session) -> str | None:
        run, views = summaries.of_run(session, stack.actor, run_id)
        live = stack.temporal.run(waiting.live(stack.temporal.client, run))
        waiting.explain(run, views, waiting.known(session, run), live)
        return {view.key: view.waiting for view in views}["b"] or None

    told = "No worker serves the queue 'gpu'. Start worker.py activities gpu."
    stack.wait_for(lambda session: why(session) == told or None)
    with serving(stack, "gpu", tmp_path):
        assert stack.result(run_id).state == "completed"


def test_a_task_that_no_worker_takes_in_time_fails(stack: Stack) -> None:
    task = noop("a", task_queue="nobody", queue_timeout_seconds=0.5)
    error = error_of(stack, stack.start(stack.save({"name": "late", "tasks": [task]})))
    assert error["code"] == "queue_timeout"
    assert error["message"] == "a: No worker of the queue nobody took it within 0.5 s."
    assert "queue_timeout_seconds" in error["next_step"]


def test_an_attempt_out_of_time_says_which_limit_it_met(stack: Stack, postgres_db_url: str) -> None:
    with stack.db.write() as session:
        sources.register(session, "ws_1", name="pg", kind="postgresql", location=postgres_db_url)
    spec = {"source": "pg", "statement": "SELECT pg_sleep(60)"}
    for limit, code in (("start_to_close", "timeout"), ("schedule_to_close", "timeout")):
        slow = {"task_key": "a", "sql_task": spec, f"{limit}_timeout_seconds": 0.5,
                "retry_policy": {"maximum_attempts": 1}}  # fmt: skip
        error = error_of(stack, stack.start(stack.save({"name": limit, "tasks": [slow]})))
        assert error["code"] == code
        assert error["next_step"].startswith(f"Raise {limit}_timeout_seconds")


def test_priority_and_the_workspace_s_share_reach_the_server(stack: Stack) -> None:
    with stack.db.write() as session:
        workspaces.change(session, workspaces.get(session, "ws_1"), fairness_weight=2.5)
    document = {"name": "shares", "priority": 4, "tasks": [noop("a"), noop("b", priority=1)]}
    run_id = stack.start(stack.save(document))
    stack.result(run_id)
    handle = stack.temporal.client.get_workflow_handle(f"shares/{run_id}")
    events = stack.temporal.run(handle.fetch_history()).events
    begun = events[0].workflow_execution_started_event_attributes.priority
    assert begun == Priority(priority_key=4, fairness_key="ws_1", fairness_weight=2.5)
    asked = {
        event.activity_task_scheduled_event_attributes.activity_id:
        event.activity_task_scheduled_event_attributes.priority
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
    }  # fmt: skip
    assert asked["a"] == Priority(priority_key=4, fairness_key="ws_1", fairness_weight=2.5)
    assert asked["b"] == Priority(priority_key=1, fairness_key="ws_1", fairness_weight=2.5)


def test_every_limit_has_a_default_of_the_job_and_a_word_of_the_task() -> None:
    limits: dict[str, Any] = {
        "start_to_close_timeout_seconds": 50, "schedule_to_close_timeout_seconds": 60,
        "heartbeat_timeout_seconds": 7, "queue_timeout_seconds": 8, "task_queue": "etl",
    }  # fmt: skip
    own = noop("b", **{**limits, "queue_timeout_seconds": 9, "task_queue": "gpu"})
    document = {"name": "limits", "defaults": limits, "tasks": [noop("a"), own]}
    steps = {step.key: step for step in compile_plan(validate(document)).steps}

    def told(key: str) -> tuple[Any, ...]:
        step = steps[key]
        return (step.start_to_close_seconds, step.schedule_to_close_seconds,
                step.heartbeat_seconds, step.queue_seconds, step.queue)  # fmt: skip

    assert told("a") == (50, 60, 7, 8, "etl")
    assert told("b") == (50, 60, 7, 9, "gpu")


def test_a_step_costs_one_activity_and_no_timer(stack: Stack) -> None:
    tasks = [echo(f"t{n}", n, *([f"t{n - 1}"] if n else [])) for n in range(20)]
    run_id = stack.start(stack.save({"name": "cheap", "tasks": tasks}))
    assert stack.result(run_id).state == "completed"
    handle = stack.temporal.client.get_workflow_handle(f"cheap/{run_id}")
    events = stack.temporal.run(handle.fetch_history()).events
    scheduled = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert scheduled == ["racine.noop"] * 20 + [FINISH_RUN]
    assert not any(event.HasField("timer_started_event_attributes") for event in events)
