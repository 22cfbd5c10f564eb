"""People and runs: approvals, waits, and orders about single tasks."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError

from models.messages import ControlCall
from models.stores import runs
from tests.temporal.conftest import Stack
from tests.temporal.test_loops import echo, error_of, failing, succeeded


def begin(stack: Stack, document: dict[str, Any], **parameters: Any) -> tuple[str, Any]:
    run_id = stack.start(stack.save({"name": "orders", **document}), **parameters)
    return run_id, stack.temporal.client.get_workflow_handle(f"orders/{run_id}")


def order(stack: Stack, handle: WorkflowHandle[Any, Any], verb: str, **call: Any) -> dict[str, Any]:
    given = ControlCall(**{"actor": "usr_ada", **call})
    answer: dict[str, Any] = stack.temporal.run(
        handle.execute_update(verb, given, result_type=dict)
    )
    return answer


def refused(stack: Stack, handle: WorkflowHandle[Any, Any], verb: str, **call: Any) -> str:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        order(stack, handle, verb, **call)
    return str(caught.value.cause)


def until(stack: Stack, run_id: str, wanted: Callable[[list[tuple[str, str]]], bool]) -> None:
    deadline = time.monotonic() + 60
    while True:
        with stack.db.read() as session:
            events = runs.events_after(session, run_id, 0, limit=1000)
        found = [(event.task_key, event.kind) for event in events]
        if wanted(found):
            return
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def approval(**more: Any) -> dict[str, Any]:
    return {"task_key": "ask", "approval_task": {"prompt": "Go for {{ params.env }}?", **more}}


def gate(**more: Any) -> dict[str, Any]:
    after = echo("go", 1, depends_on=[{"task_key": "ask"}])
    return {"parameters": [{"name": "env"}], "tasks": [approval(**more), after]}


def asked(events: list[tuple[str, str]]) -> bool:
    return ("ask", "waiting") in events


def test_enough_approvals_let_a_run_go_on(stack: Stack) -> None:
    document = gate(required=2, approvers=["usr_ada", "usr_bob", "role:steward"])
    run_id, handle = begin(stack, document, env="prod")
    until(stack, run_id, asked)
    assert "not among" in refused(stack, handle, "approve", task_key="ask", actor="usr_eve")
    assert order(stack, handle, "approve", task_key="ask") == {"outcome": None, "said": 1}
    assert "spoken already" in refused(stack, handle, "approve", task_key="ask")
    steward = {"roles": ["steward"], "form": {"ticket": "T-1"}}
    answer = order(stack, handle, "approve", task_key="ask", actor="usr_eve", arguments=steward)
    assert answer == {"outcome": "approved", "said": 2}
    assert stack.result(run_id).state == "completed"
    assert "go" in succeeded(stack, run_id)


def test_who_started_a_run_does_not_approve_it(stack: Stack) -> None:
    run_id, handle = begin(stack, gate(), env="prod")
    until(stack, run_id, asked)
    starter = stack.actor.id
    assert "does not approve" in refused(stack, handle, "approve", task_key="ask", actor=starter)
    assert "no approval now; open: ask" in refused(stack, handle, "approve", task_key="go")
    order(stack, handle, "reject", task_key="ask", reason="not today")
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert error_of(stack, run_id)["message"] == "ask: It was rejected by usr_ada."


def test_a_rejection_can_be_a_branch(stack: Stack) -> None:
    document = {
        "parameters": [{"name": "env"}],
        "tasks": [
            approval(on_reject="CONTINUE"),
            echo("undo", 1, depends_on=[{"task_key": "ask", "outcome": "rejected"}]),
            echo("go", 1, depends_on=[{"task_key": "ask", "outcome": "approved"}]),
        ],
    }
    run_id, handle = begin(stack, document, env="prod")
    until(stack, run_id, asked)
    order(stack, handle, "reject", task_key="ask")
    assert stack.result(run_id).state == "completed"
    assert set(succeeded(stack, run_id)) == {"ask", "undo"}


@pytest.mark.parametrize(("on_timeout", "state"), [("APPROVE", "completed"), ("FAIL", "failed")])
def test_an_approval_nobody_gives_times_out(stack: Stack, on_timeout: str, state: str) -> None:
    run_id, _ = begin(stack, gate(timeout_seconds=0.3, on_timeout=on_timeout), env="x")
    if state == "failed":
        with pytest.raises(WorkflowFailureError):
            stack.result(run_id)
        assert error_of(stack, run_id)["code"] == "timed_out"
    else:
        assert stack.result(run_id).state == state


def test_a_wait_takes_its_time(stack: Stack) -> None:
    moment = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    document = {
        "parameters": [{"name": "until"}],
        "tasks": [
            {"task_key": "a", "wait_task": {"duration_seconds": 0.5}},
            {"task_key": "b", "wait_task": {"until": "{{ params.until }}"}},
            {"task_key": "past", "wait_task": {"until": "2020-01-01T00:00:00+00:00"}},
        ],
    }
    run_id, _ = begin(stack, document, until=moment)
    assert stack.result(run_id).state == "completed"
    assert datetime.now(UTC).isoformat() >= moment


def held(*tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"failure_policy": "HOLD", "tasks": list(tasks), **more}


def test_a_held_run_waits_for_a_result_by_hand(stack: Stack) -> None:
    schema = {"properties": {"value": {"type": "integer"}}, "required": ["value"]}
    document = held(
        {**failing("work", "true"), "outputs": schema},
        echo("use", "{{ tasks.work.values.value }}", "work"),
        outputs={"used": "{{ tasks.use.values.value }}"},
    )
    run_id, handle = begin(stack, document)
    stack.ended(run_id, "work")
    wrong = refused(
        stack, handle, "set_result", task_key="work", arguments={"values": {"value": "x"}}
    )
    assert "do not fit" in wrong
    order(stack, handle, "set_result", task_key="work", arguments={"values": {"value": 42}})
    assert stack.result(run_id).outputs == {"used": 42}


def test_a_failed_task_is_retried_and_what_follows_decided_anew(stack: Stack) -> None:
    document = held(failing("work", "true"), echo("after", 1, "work"), echo("aside", 1))
    run_id, handle = begin(stack, document)
    stack.ended(run_id, "work")
    assert order(stack, handle, "retry", task_key="work", reason="again") == {"state": "pending"}

    def failures() -> list[int]:
        with stack.db.read() as session:
            events = runs.events_after(session, run_id, 0)
        return [e.attempt for e in events if (e.task_key, e.kind) == ("work", "failed")]

    until(stack, run_id, lambda _: failures() == [1, 1001])
    stack.ended(run_id, "work")
    order(stack, handle, "skip", task_key="work")
    assert stack.result(run_id).state == "completed"
    assert succeeded(stack, run_id).count("aside") == 1


def test_a_running_task_is_skipped_or_given_a_result(stack: Stack) -> None:
    document = {
        "parameters": [{"name": "env"}],
        "tasks": [
            approval(),
            {"task_key": "nap", "wait_task": {"duration_seconds": 3600}},
            echo("use", "{{ tasks.ask.values.outcome }}", "ask"),
        ],
        "outputs": {"said": "{{ tasks.use.values.value }}"},
    }
    run_id, handle = begin(stack, document, env="x")
    until(stack, run_id, asked)
    assert "has not begun" in refused(stack, handle, "skip", task_key="use")
    order(stack, handle, "skip", task_key="nap")
    values = {"values": {"outcome": "by hand"}}
    order(stack, handle, "set_result", task_key="ask", arguments=values)
    assert stack.result(run_id).outputs == {"said": "by hand"}
    assert ("nap", "excluded") in stack.events(run_id)
