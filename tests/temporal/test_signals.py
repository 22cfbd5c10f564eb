"""Waits for signals: given over the API's service, checked, kept, bounded, once each."""

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models.stores.controls import RunControl
from racine.errors import Conflict, InvalidInput
from services import controls
from services.controls import Action
from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import await_event, begin, chain, continued
from tests.temporal.test_loops import echo, error_of, loop

SCHEMA = {"type": "object", "properties": {"rows": {"type": "integer"}}, "required": ["rows"]}


def waiting(key: str = "w", **more: Any) -> dict[str, Any]:
    return {"task_key": key, "wait_task": {"signal": "landed", "payload_schema": SCHEMA, **more}}


def give(
    stack: Stack, run_id: str, payload: Any, request_id: str, name: str = "landed"
) -> RunControl:
    arguments = {"arguments": {"name": name, "payload": payload}}
    with stack.db.write() as session:
        order = controls.record(session, stack.actor, run_id, Action.SIGNAL, arguments, request_id)
    return stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))


DOCUMENT: dict[str, Any] = {
    "tasks": [waiting(), echo("x", "{{ tasks.w.values.payload.rows }}", "w")],
    "outputs": {"rows": "{{ tasks.x.values.value }}", "came": "{{ tasks.w.values.received }}"},
}


def test_a_signal_ends_a_wait_and_its_payload_is_read(stack: Stack) -> None:
    run_id, _ = begin(stack, "signalled", DOCUMENT)
    await_event(stack, run_id, "w", "waiting")
    assert give(stack, run_id, {"rows": 3}, "one").state == "applied"
    assert stack.result(run_id).outputs == {"rows": 3, "came": True}


def test_a_signal_is_kept_for_a_task_that_begins_later_and_taken_once(stack: Stack) -> None:
    before = {"task_key": "before", "wait_task": {"duration_seconds": 1}}
    first = {**waiting(), "depends_on": [{"task_key": "before"}]}
    second = {**waiting("again", timeout_seconds=0.5, on_timeout="CONTINUE"),
              "depends_on": [{"task_key": "w"}]}  # fmt: skip
    outputs = {"w": "{{ tasks.w.values }}", "again": "{{ tasks.again.values }}"}
    run_id, _ = begin(stack, "kept", {"tasks": [before, first, second], "outputs": outputs})
    for _ in "ab":
        assert give(stack, run_id, {"rows": 1}, "the same").state == "applied"
    assert stack.result(run_id).outputs == {
        "w": {"payload": {"rows": 1}, "received": True},
        "again": {"payload": None, "received": False},
    }


def test_what_does_not_fit_is_refused_and_the_wait_goes_on(stack: Stack) -> None:
    run_id, _ = begin(stack, "refusing", DOCUMENT)
    with pytest.raises(Conflict, match="does not fit"):
        give(stack, run_id, {"rows": "many"}, "bad")
    with pytest.raises(Conflict, match="they wait for: landed"):
        give(stack, run_id, {}, "unknown", name="lost")
    give(stack, run_id, {"rows": 2}, "good")
    assert stack.result(run_id).outputs["rows"] == 2


def test_a_wait_for_a_signal_fails_after_its_time(stack: Stack) -> None:
    document: dict[str, Any] = {"name": "late", "tasks": [waiting(timeout_seconds=0.2)]}
    run_id = stack.start(stack.save(document))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert error_of(stack, run_id)["code"] == "timed_out"


def test_a_signal_crosses_into_the_next_history(impatient: Stack) -> None:
    tasks = [*chain(40), {**waiting(), "depends_on": [{"task_key": "t39"}]}, waiting("early")]
    outputs = {"n": "{{ tasks.w.values.payload.rows + tasks.early.values.payload.rows }}"}
    run_id, handle = begin(impatient, "crossing", {"tasks": tasks, "outputs": outputs})
    give(impatient, run_id, {"rows": 1}, "one")
    give(impatient, run_id, {"rows": 2}, "two")
    assert impatient.result(run_id).outputs == {"n": 3}
    assert continued(impatient, handle)


def test_a_signal_cannot_tell_iterations_apart(idle_stack: Stack) -> None:
    with pytest.raises(InvalidInput) as caught:
        idle_stack.save({"name": "apart", "tasks": [loop("each", [1], waiting())]})
    (fault,) = caught.value.faults
    assert fault.pointer == "/tasks/0/for_each_task/tasks/0/wait_task/signal"
