"""Runs of a limited job wait their turn, and get it whatever becomes of those before them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session
from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from models.stores import runs
from models.tables.runs import Run
from racine.definitions.schedules import ScheduleSpec
from racine.engine.states import FINAL_RUN_STATES
from services import controls, executions, firings, turns
from services import schedules as service
from services.reconciler import Reconciler
from tests.temporal.conftest import Stack

APPROVAL: dict[str, Any] = {"task_key": "ask", "approval_task": {"self_approval": True}}
ONE: dict[str, Any] = {"name": "one_at_a_time", "max_concurrent_runs": 1, "tasks": [APPROVAL]}


def run_of(stack: Stack, run_id: str) -> Run:
    with stack.db.read() as session:
        return runs.get(session, run_id)


def record(stack: Stack, job_id: str) -> str:
    """Record a run as the API does; one that is queued is not started."""
    with stack.db.write() as session:
        launch = executions.record(session, stack.actor, job_id, {})
    if not launch.queued:
        stack.temporal.run(executions.start(stack.temporal.client, launch))
        executions.mark_started(stack.db, launch.run_id)
    return launch.run_id


def order(stack: Stack, run_id: str, action: controls.Action, **arguments: Any) -> None:
    with stack.db.write() as session:
        made = controls.record(session, stack.actor, run_id, action, arguments)
    stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, made))


def approve(stack: Stack, run_id: str) -> None:
    def asked(session: Session) -> bool | None:
        kinds = [event.kind for event in runs.events_after(session, run_id, 0)]
        return "waiting" in kinds or None

    stack.wait_for(asked)
    order(stack, run_id, controls.Action.APPROVE, task_key="ask")


def reconciler(stack: Stack) -> Reconciler:
    db, client = stack.db, stack.temporal.client
    duties: list[Callable[[], Awaitable[None]]] = [
        turns.Duty(db, client),
        firings.Duty(db, client, grace=timedelta()),
    ]
    return Reconciler(db, client, grace=timedelta(), also=duties)


def wait_until(stack: Stack, run_id: str, *states: str) -> Run:
    def look(session: Session) -> Run | None:
        run = runs.get(session, run_id)
        return run if run.state in states else None

    return stack.wait_for(look)


def test_the_end_of_a_run_starts_the_next_at_once(stack: Stack) -> None:
    job_id = stack.save(ONE)
    first, second, third = (record(stack, job_id) for _ in range(3))
    assert [run_of(stack, run).state for run in (second, third)] == ["queued", "queued"]
    for run in (first, second, third):
        wait_until(stack, run, "running")
        approve(stack, run)
        assert stack.result(run).state == "completed"
    # No reconciler runs in this test: each end has handed the turn on by itself.


def test_a_terminated_run_leaks_no_place(stack: Stack) -> None:
    job_id = stack.save(ONE)
    first, second = record(stack, job_id), record(stack, job_id)
    handle = stack.temporal.client.get_workflow_handle(run_of(stack, first).workflow_id)
    stack.temporal.run(handle.terminate())

    def begun(session: Session) -> bool | None:
        stack.temporal.run(reconciler(stack).round())
        return runs.get(session, second).state == "running" or None

    stack.wait_for(begun)
    approve(stack, second)
    assert stack.result(second).state == "completed"


def test_a_run_handed_on_by_a_process_that_died_is_started(idle_stack: Stack) -> None:
    job_id = idle_stack.save(ONE)
    first, second = record(idle_stack, job_id), record(idle_stack, job_id)
    with idle_stack.db.write() as session:
        # As an activity worker that is killed right after its commit leaves it.
        runs.finish(session, first, "completed", {}, None)
    idle_stack.temporal.run(reconciler(idle_stack).round())
    assert run_of(idle_stack, second).state == "running"


def test_a_wait_that_takes_too_long_ends_the_run_with_its_reason(idle_stack: Stack) -> None:
    job_id = idle_stack.save(ONE | {"queue": {"timeout_seconds": 0.001}})
    record(idle_stack, job_id)
    late = record(idle_stack, job_id)
    idle_stack.temporal.run(reconciler(idle_stack).round())
    run = run_of(idle_stack, late)
    assert run.state == "timed_out"
    assert run.error is not None
    assert run.error["code"] == "queue_timeout"
    assert "One run of the job may go on at once." in run.error["message"]
    assert idle_stack.events(late) == [("", "run_timed_out")]


def test_a_queued_run_can_be_cancelled_and_nothing_else(idle_stack: Stack) -> None:
    job_id = idle_stack.save(ONE)
    record(idle_stack, job_id)
    waiting = record(idle_stack, job_id)
    with pytest.raises(Exception, match="nothing to pause before it begins"):
        order(idle_stack, waiting, controls.Action.PAUSE)
    order(idle_stack, waiting, controls.Action.CANCEL)
    assert run_of(idle_stack, waiting).state == "cancelled"


@pytest.fixture
def fired(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """A run that goes on, and a queued one that a schedule has fired: job and both runs."""
    job_id = stack.save(ONE)
    first = record(stack, job_id)
    wish = ScheduleSpec.model_validate({"name": "nightly", "cron": "0 1 1 1 *"})
    with stack.db.write() as session:
        row = service.create(session, stack.actor, job_id, wish)
    stack.temporal.run(service.trigger(stack.db, stack.temporal.client, row))

    def queued(session: Session) -> Run | None:
        found = runs.listed(
            session, "ws_1", runs.Which(states=["queued"]), limit=1, cursor=None
        ).items
        return found[0] if found else None

    yield job_id, first, stack.wait_for(queued).id
    handle = stack.temporal.client.get_schedule_handle(service.temporal_id(row))
    stack.temporal.run(handle.delete())


def test_the_run_of_a_firing_waits_its_turn_too(stack: Stack, fired: tuple[str, str, str]) -> None:
    _, first, waiting = fired
    approve(stack, first)
    stack.temporal.run(_until_there(stack, waiting))
    approve(stack, waiting)
    assert stack.result(waiting).state == "completed"


def test_a_firing_hears_that_its_run_left_the_queue(
    stack: Stack, fired: tuple[str, str, str]
) -> None:
    _, _, waiting = fired
    order(stack, waiting, controls.Action.CANCEL)
    stack.temporal.run(reconciler(stack).round())
    firing = turns.firing(stack.temporal.client, run_of(stack, waiting))
    with pytest.raises(WorkflowFailureError):
        stack.temporal.run(firing.result())


def test_a_queued_run_ends_with_its_firing(stack: Stack, fired: tuple[str, str, str]) -> None:
    _, _, waiting = fired
    firing = turns.firing(stack.temporal.client, run_of(stack, waiting))
    stack.temporal.run(firing.terminate())
    stack.temporal.run(reconciler(stack).round())
    assert run_of(stack, waiting).state in FINAL_RUN_STATES


async def _until_there(stack: Stack, run_id: str) -> None:
    handle = stack.temporal.client.get_workflow_handle(run_of(stack, run_id).workflow_id)
    for _ in range(500):
        try:
            await handle.describe()
        except RPCError:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("the run never began")
