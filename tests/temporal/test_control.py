"""Pause, resume, cancel and time limits of real runs."""

from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)

from models.messages import ControlCall
from models.stores import runs
from tests.eventually import eventually
from tests.temporal.conftest import Stack

ORDER = ControlCall(actor="usr_system", reason="trying")


def echo(key: str, *upstream: str, value: Any = 1) -> dict[str, Any]:
    return {
        "task_key": key,
        "operation_task": {"operation": "racine.noop", "input": {"value": value}},
        "depends_on": [{"task_key": up} for up in upstream],
    }


def chain(length: int, **more: Any) -> dict[str, Any]:
    tasks = [echo(f"t{n}", *([f"t{n - 1}"] if n else [])) for n in range(length)]
    return {"name": f"chain_{length}", "tasks": tasks, **more}


def handle_of(stack: Stack, run_id: str) -> WorkflowHandle[Any, Any]:
    with stack.db.read() as session:
        workflow_id = runs.get(session, run_id).workflow_id
    return stack.temporal.client.get_workflow_handle(workflow_id)


def state_of(stack: Stack, run_id: str) -> str:
    with stack.db.read() as session:
        return runs.get(session, run_id).state


def pending(stack: Stack, handle: WorkflowHandle[Any, Any]) -> list[str]:
    description = stack.temporal.run(handle.describe())
    return [info.activity_id for info in description.raw_description.pending_activities]


def test_a_paused_run_starts_nothing_and_resumes(stack: Stack) -> None:
    run_id = stack.start(stack.save(chain(200)))
    handle = handle_of(stack, run_id)
    run = stack.temporal.run
    assert run(handle.execute_update("pause", ORDER, result_type=dict)) == {"state": "paused"}
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        run(handle.execute_update("pause", ORDER))
    assert "paused already" in str(refused.value.cause)
    eventually(lambda: pending(stack, handle) == [], "nothing runs")
    before = run(handle.fetch_history())
    scheduled = [e for e in before.events if e.HasField("activity_task_scheduled_event_attributes")]
    assert len(scheduled) < 200
    assert run(handle.execute_update("resume", ORDER, result_type=dict)) == {"state": "running"}
    assert stack.result(run_id).state == "completed"
    attributes = run(handle.describe()).typed_search_attributes
    assert {pair.key.name: pair.value for pair in attributes}["RacineState"] == "completed"


def test_showing_a_runs_state_takes_one_event(stack: Stack) -> None:
    run_id = stack.start(stack.save(chain(2)))
    stack.result(run_id)
    history = stack.temporal.run(handle_of(stack, run_id).fetch_history())
    kinds = [event.event_type for event in history.events]
    assert kinds.count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) == 1
    assert kinds[-2:] == [
        EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
    ]


def test_a_cancelled_run_ends_its_tasks_and_says_so(stack: Stack) -> None:
    run_id = stack.start(stack.save(chain(300)))
    handle = handle_of(stack, run_id)
    answer = stack.temporal.run(handle.execute_update("cancel", ORDER, result_type=dict))
    assert answer == {"state": "cancelled"}
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert stack.temporal.run(handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert state_of(stack, run_id) == "cancelled"
    eventually(lambda: ("t299", "cancelled") in stack.events(run_id), "the last is told")


def test_temporals_own_cancel_is_graceful_too(stack: Stack) -> None:
    run_id = stack.start(stack.save(chain(300)))
    handle = handle_of(stack, run_id)
    stack.temporal.run(handle.cancel())
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert state_of(stack, run_id) == "cancelled"
    assert stack.temporal.run(handle.describe()).status is WorkflowExecutionStatus.CANCELED


def test_a_run_out_of_time_ends_and_says_so(stack: Stack) -> None:
    run_id = stack.start(stack.save(chain(500, timeout_seconds=0.5)))
    with pytest.raises(WorkflowFailureError, match="Workflow"):
        stack.result(run_id)
    with stack.db.read() as session:
        row = runs.get(session, run_id)
        assert row.state == "timed_out"
        assert row.error is not None
        assert "0.5 s" in row.error["message"]


def test_a_failed_run_names_the_task_that_failed_first(stack: Stack) -> None:
    scan = {"operation": "scan_logic.scan", "input": {"scan_id": "{{ params.id }}"}}
    document: dict[str, Any] = {
        "name": "fails",
        "parameters": [{"name": "id"}],
        "tasks": [{"task_key": "scan", "operation_task": scan}, echo("after", "scan")],
    }
    run_id = stack.start(stack.save(document), id="scn_none")
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    with stack.db.read() as session:
        error = runs.get(session, run_id).error
    assert error is not None
    assert (error["task_key"], error["code"]) == ("scan", "not_found")
    assert {("scan", "failed"), ("after", "skipped"), ("", "run_failed")} <= set(
        stack.events(run_id)
    )


def test_an_order_to_an_ended_run_is_refused(stack: Stack) -> None:
    run_id = stack.start(stack.save(chain(1)))
    assert stack.result(run_id).state == "completed"
    with pytest.raises(Exception, match="already completed"):
        stack.temporal.run(handle_of(stack, run_id).execute_update("pause", ORDER))


def test_a_reference_that_fails_ends_its_task_not_the_workflow(stack: Stack) -> None:
    document: dict[str, Any] = {
        "name": "bad_reference",
        "parameters": [{"name": "p"}],
        "tasks": [
            echo("a", value="{{ params.p.missing }}"),
            {"task_key": "b", "condition_task": {"expression": "params.p.missing > 1"}},
        ],
    }
    run_id = stack.start(stack.save(document), p={})
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    events = stack.events(run_id)
    assert {("a", "failed"), ("b", "failed")} <= set(events)


def test_a_large_output_travels_by_reference(stack: Stack) -> None:
    document: dict[str, Any] = {
        "name": "large",
        "parameters": [{"name": "text"}],
        "tasks": [echo("a", value="{{ params.text + params.text + params.text }}")],
        "outputs": {"size": "{{ size(tasks.a.values.value) }}"},
    }
    run_id = stack.start(stack.save(document), text="x" * 30_000)
    assert stack.result(run_id).outputs == {"size": 90_000}
    (history,) = stack.histories(f"large/{run_id}")
    ended = [event.activity_task_completed_event_attributes for event in history.events]
    sizes = [len(payload.data) for end in ended for payload in end.result.payloads]
    assert sizes
    assert max(sizes) < 1_000


def test_outputs_are_checked_and_the_message_shows_no_value(stack: Stack) -> None:
    schema = {"properties": {"value": {"type": "integer"}}}
    document: dict[str, Any] = {
        "name": "contract",
        "tasks": [{**echo("a", value="secret"), "outputs": schema}],
    }
    run_id = stack.start(stack.save(document))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    with stack.db.read() as session:
        error = runs.get(session, run_id).error
    assert error is not None
    assert error["code"] == "contract_broken"
    assert "secret" not in str(error)
    assert "/value" in error["message"]
