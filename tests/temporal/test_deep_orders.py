"""Orders about tasks inside loops at any depth, tasks held back, changed and forced to end."""

from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from models.stores import runs
from models.stores.runs import RunEvent
from racine.errors import Conflict, InvalidInput
from services import controls
from services.controls import Action
from tests.temporal.conftest import Stack
from tests.temporal.test_loops import echo, failing, loop


def begin(stack: Stack, *tasks: dict[str, Any], **more: Any) -> str:
    return stack.start(stack.save({"name": "deep", "tasks": list(tasks), **more}))


def give(stack: Stack, run_id: str, action: Action, path: str | None = None, **more: Any) -> Any:
    """Give an order as the API does: recorded, committed, delivered."""
    given = {"reason": "for a test", "task_key": path, "arguments": more}
    arguments = {name: value for name, value in given.items() if value}
    with stack.db.write() as session:
        order = controls.record(session, stack.actor, run_id, action, arguments)
    delivered = controls.deliver(stack.db, stack.temporal.client, order)
    order = stack.temporal.run(delivered)
    assert order.state == controls.APPLIED
    return order.answer


def seen(stack: Stack, run_id: str, path: str, kind: str) -> RunEvent:
    """Wait until the log tells of something."""

    def look(session: Any) -> RunEvent | None:
        found = runs.events_after(session, run_id, 0, limit=10_000)
        return next((e for e in found if (e.task_key, e.kind) == (path, kind)), None)

    return stack.wait_for(look)


def ask(key: str = "ask", **more: Any) -> dict[str, Any]:
    return {"task_key": key, "approval_task": {"prompt": "?", "self_approval": True, **more}}


@pytest.mark.parametrize("count", [3, 110])
def test_approvals_inside_loops_are_answered_wherever_they_are_held(
    stack: Stack, count: int
) -> None:
    inner = loop("inner", [0, 1], {**ask(), "condition": "item == 1 && outer.item_index == 2"})
    run_id = begin(
        stack,
        loop("outermost", list(range(count)), inner, concurrency=100),
        outputs={"done": "{{ tasks.outermost.values.succeeded }}"},
    )
    path = "outermost[2].inner[1].ask"
    seen(stack, run_id, path, "waiting")
    with pytest.raises(Conflict, match="asks for no approval"):
        give(stack, run_id, Action.APPROVE, "outermost[2].inner[0].ask")
    answer = give(stack, run_id, Action.APPROVE, path)
    assert answer == {"outcome": "approved", "said": 1}
    assert stack.result(run_id).outputs == {"done": count}


@pytest.mark.parametrize("count", [2, 230])
def test_tasks_inside_iterations_are_skipped_and_given_results(stack: Stack, count: int) -> None:
    body = [
        {**ask(), "condition": "item_index == 1"},
        echo("use", "{{ tasks.ask.values.outcome }}", "ask", condition="item_index == 1"),
    ]
    run_id = begin(
        stack,
        loop("each", list(range(count)), *body, concurrency=100),
        outputs={"good": "{{ tasks.each.values.succeeded }}"},
    )
    seen(stack, run_id, "each[1].ask", "waiting")
    with pytest.raises(Conflict, match="has not begun"):
        give(stack, run_id, Action.SKIP, "each[1].use")
    with pytest.raises(Conflict, match="no task"):
        give(stack, run_id, Action.SKIP, "each[1].nobody")
    values = {"outcome": "by hand"}
    answer = give(stack, run_id, Action.SET_RESULT, "each[1].ask", values=values)
    assert answer == {"state": "succeeded"}
    assert stack.result(run_id).outputs == {"good": count}
    assert seen(stack, run_id, "each[1].ask", "order").body["actor"] == stack.actor.id


def test_a_task_is_held_until_it_is_released(stack: Stack) -> None:
    run_id = begin(stack, ask(), echo("after", 1, "ask"), echo("last", 1, "after"))
    seen(stack, run_id, "ask", "waiting")
    with pytest.raises(Conflict, match="has begun"):
        give(stack, run_id, Action.PAUSE, "ask")
    assert give(stack, run_id, Action.PAUSE, "after") == {"state": "held"}
    with pytest.raises(Conflict, match="paused already"):
        give(stack, run_id, Action.PAUSE, "after")
    give(stack, run_id, Action.APPROVE, "ask")
    seen(stack, run_id, "ask", "succeeded")
    # The run as a whole goes on: it is that task alone which waits.
    with stack.db.read() as session:
        assert runs.get(session, run_id).state == "running"
        kinds = [e.kind for e in runs.events_after(session, run_id, 0) if e.task_key == "after"]
    assert "started" not in kinds
    assert give(stack, run_id, Action.RESUME, "after") == {"state": "pending"}
    assert stack.result(run_id).state == "completed"


def test_a_held_task_changes_when_its_turn_has_come_too(stack: Stack) -> None:
    document: dict[str, Any] = {
        "parameters": [{"name": "env", "default": "dev"}],
        "outputs": {"env": "{{ tasks.use.values.value }}", "raw": "{{ tasks.raw.values.value }}"},
    }
    use, raw = echo("use", "{{ params.env }}", "ask"), echo("raw", 1, "ask")
    run_id = begin(stack, ask(), use, raw, **document)
    seen(stack, run_id, "ask", "waiting")
    for key in ("use", "raw"):
        give(stack, run_id, Action.PAUSE, key)
    give(stack, run_id, Action.APPROVE, "ask")
    seen(stack, run_id, "ask", "succeeded")
    give(stack, run_id, Action.CHANGE, parameters={"env": "prod"})
    give(stack, run_id, Action.CHANGE, "raw", input={"value": 2})
    for key in ("use", "raw"):
        give(stack, run_id, Action.RESUME, key)
    assert stack.result(run_id).outputs == {"env": "prod", "raw": 2}


def test_what_a_failure_has_passed_over_changes_before_its_turn_comes_again(stack: Stack) -> None:
    document: dict[str, Any] = {
        "failure_policy": "HOLD",
        "parameters": [{"name": "env", "default": "dev"}],
        "outputs": {"env": "{{ tasks.use.values.value }}"},
    }
    run_id = begin(stack, failing("broken", "true"), echo("use", "{{ params.env }}", "broken"),
                   **document)  # fmt: skip
    stack.ended(run_id, "broken")
    give(stack, run_id, Action.CHANGE, parameters={"env": "prod"})
    give(stack, run_id, Action.SET_RESULT, "broken", values={"value": 1})
    assert stack.result(run_id).outputs == {"env": "prod"}


def test_parameters_change_for_tasks_that_have_not_begun(stack: Stack) -> None:
    document: dict[str, Any] = {
        "parameters": [
            {"name": "env", "default": "dev", "schema": {"enum": ["dev", "prod"]}},
            {"name": "read", "default": 1},
        ],
        "outputs": {"env": "{{ tasks.use.values.value }}", "raw": "{{ tasks.raw.values.value }}"},
    }
    first = echo("first", "{{ params.read }}")
    raw = echo("raw", 1, "ask")
    use = echo("use", "{{ params.env }}", "ask")
    run_id = begin(stack, first, {**ask(), "depends_on": [{"task_key": "first"}]}, use, raw,
                   **document)  # fmt: skip
    seen(stack, run_id, "ask", "waiting")
    with pytest.raises(InvalidInput, match="do not fit"):
        give(stack, run_id, Action.CHANGE, parameters={"env": "nowhere"})
    with pytest.raises(Conflict, match="read them and have begun: first"):
        give(stack, run_id, Action.CHANGE, parameters={"read": 2})
    with pytest.raises(Conflict, match="has begun"):
        give(stack, run_id, Action.CHANGE, "first", input={"value": 3})
    with pytest.raises(InvalidInput):
        give(stack, run_id, Action.CHANGE, "raw", input={"nonsense": 1})
    give(stack, run_id, Action.CHANGE, parameters={"env": "prod"})
    changed = {"value": "{{ tasks.first.values.value + 40 }}"}
    with pytest.raises(InvalidInput):
        give(stack, run_id, Action.CHANGE, "raw", input={"value": "{{ tasks.nobody.values.x }}"})
    give(stack, run_id, Action.CHANGE, "raw", input=changed)
    give(stack, run_id, Action.APPROVE, "ask")
    assert stack.result(run_id).outputs == {"env": "prod", "raw": 41}
    with stack.db.read() as session:
        assert runs.get(session, run_id).parameters["env"] == "prod"


def test_an_approval_asks_for_a_form_and_can_be_passed_on(stack: Stack) -> None:
    schema = {"type": "object", "required": ["ticket"], "properties": {"ticket": {"minLength": 3}}}
    run_id = begin(
        stack,
        ask(form=schema, approvers=["usr_system", "usr_bob"], required=2),
        echo("use", "{{ tasks.ask.values.form.ticket }}", "ask"),
        outputs={"ticket": "{{ tasks.use.values.value }}"},
    )
    seen(stack, run_id, "ask", "waiting")
    with pytest.raises(Conflict, match="do not fit the form"):
        give(stack, run_id, Action.APPROVE, "ask", form={"ticket": "T"})
    with pytest.raises(InvalidInput, match="passed on"):
        give(stack, run_id, Action.DELEGATE, "ask", to="usr_nobody")
    assert give(stack, run_id, Action.DELEGATE, "ask", to="role:steward")["to"] == "role:steward"
    with pytest.raises(Conflict, match="spoken already"):
        give(stack, run_id, Action.APPROVE, "ask", form={"ticket": "T-1"})
    handle = stack.temporal.client.get_workflow_handle(f"deep/{run_id}")
    for who, roles in (("usr_eve", ["steward"]), ("usr_bob", [])):
        call = {"actor": who, "task_key": "ask",
                "arguments": {"roles": roles, "form": {"ticket": "T-1"}}}  # fmt: skip
        stack.temporal.run(handle.execute_update("approve", call))
    assert stack.result(run_id).outputs == {"ticket": "T-1"}


def test_an_approval_out_of_time_is_a_branch(stack: Stack) -> None:
    late = echo("late", 1, depends_on=[{"task_key": "ask", "outcome": "timed_out"}])
    good = echo("good", 1, depends_on=[{"task_key": "ask", "outcome": "approved"}])
    run_id = begin(stack, ask(timeout_seconds=0.3, on_timeout="CONTINUE"), late, good)
    assert stack.result(run_id).state == "completed"
    ended = [key for key, kind in stack.events(run_id) if kind == "succeeded"]
    assert sorted(ended) == ["ask", "late"]


@pytest.mark.parametrize("forced", [True, False])
def test_a_second_or_a_forced_cancel_ends_without_waiting(stack: Stack, forced: bool) -> None:
    clean = [{"task_key": "clean", "wait_task": {"duration_seconds": 3600}}]
    run_id = begin(stack, ask(), **{"finally": clean})
    seen(stack, run_id, "ask", "waiting")
    if forced:
        give(stack, run_id, Action.CANCEL, force=True)
    else:
        give(stack, run_id, Action.CANCEL)
        seen(stack, run_id, "clean", "started")
        give(stack, run_id, Action.CANCEL)
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    with stack.db.read() as session:
        assert runs.get(session, run_id).state == "cancelled"
    handle = stack.temporal.client.get_workflow_handle(f"deep/{run_id}")
    assert stack.temporal.run(handle.describe()).status is WorkflowExecutionStatus.CANCELED


def test_a_loop_whose_task_failed_is_retried_whole(stack: Stack) -> None:
    body = [echo("get", 1), failing("clean", "item == 1")]
    run_id = begin(stack, loop("each", [0, 1], *body), failure_policy="HOLD")
    seen(stack, run_id, "each", "failed")
    give(stack, run_id, Action.RETRY, "each")

    def again(session: Any) -> bool | None:
        found = runs.events_after(session, run_id, 0, limit=1000)
        return [e.kind for e in found if e.task_key == "each"].count("failed") == 2 or None

    stack.wait_for(again)
    give(stack, run_id, Action.SKIP, "each")
    assert stack.result(run_id).state == "completed"
    assert [key for key, kind in stack.events(run_id) if kind == "started"].count(
        "each[0].get"
    ) == 2
