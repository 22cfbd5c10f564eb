"""Repairs of runs that go on: nested loops, open approvals, other versions."""

from typing import Any

import pytest

from models.stores import runs
from racine.errors import Conflict
from services import controls, repairs, workflows
from services.controls import Action
from services.repairs import Wish
from tests.temporal.conftest import Stack
from tests.temporal.test_deep_orders import ask, give, seen
from tests.temporal.test_loops import echo, loop
from tests.temporal.test_repair import begin, begun, ended, flaky


def repair_open(stack: Stack, run_id: str, **wish: Any) -> dict[str, Any]:
    """Preview, then repair; both must say the same."""
    with stack.db.read() as session:
        found = repairs.plan_open(session, stack.actor, run_id, Wish(**wish))
    shown = stack.temporal.run(repairs.preview_open(lambda: stack.temporal.client, found))
    with stack.db.write() as session:
        _, order = repairs.record_open(session, stack.actor, run_id, Wish(**wish))
    order = stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))
    assert order.state == controls.APPLIED
    assert order.answer == shown
    return order.answer


def test_a_failing_iteration_is_repaired_while_an_approval_is_open(stack: Stack) -> None:
    clean = flaky("clean", "params.broken && item == 5 && outer.item_index == 1")
    inner = loop("inner", [4, 5], echo("get", "{{ item }}"), clean)
    document = {
        "tasks": [loop("outermost", [0, 1, 2], echo("first", 1), inner), ask(),
                  echo("last", "{{ tasks.outermost.values.succeeded }}", "outermost", "ask")],
        "outputs": {"good": "{{ tasks.last.values.value }}"},
    }  # fmt: skip
    run_id = begin(stack, document, broken=True)
    seen(stack, run_id, "outermost", "failed")
    seen(stack, run_id, "ask", "waiting")
    path = "outermost[1].inner[1].clean"
    told = repair_open(stack, run_id, tasks=[path], parameters={"broken": False}, reason="mended")
    assert path in [task["path"] for task in told["again"]]
    seen(stack, run_id, "outermost", "succeeded")
    assert give(stack, run_id, Action.APPROVE, "ask")["outcome"] == "approved"
    assert stack.result(run_id).outputs == {"good": 3}
    again = {key for key, attempt in begun(stack, run_id) if attempt > 1000}
    # The loop ended at that failure: iteration 2 begins only now, and of 1 nothing else runs again.
    assert {key for key in again if key.startswith(("outermost[0].", "outermost[1]."))} == {path}
    with stack.db.read() as session:
        run = runs.get(session, run_id)
    (entry,) = run.repairs
    assert (entry["reason"], entry["was"], run.parameters) == (
        "mended", "running", {"broken": False},
    )  # fmt: skip


def test_a_held_run_goes_on_with_another_version(stack: Stack) -> None:
    broken: dict[str, Any] = {"name": "swap", "failure_policy": "HOLD",
              "tasks": [echo("a", 3), flaky("b", "true", "a"), ask()]}  # fmt: skip
    job_id = stack.save(broken)
    run_id = stack.start(job_id)
    stack.ended(run_id, "b")
    seen(stack, run_id, "ask", "waiting")
    good = {
        "name": "swap",
        "tasks": [echo("a", 4), echo("b", "{{ tasks.a.values.value }}", "a"), ask(),
                  echo("c", 1, "b", "ask")],
        "outputs": {"b": "{{ tasks.b.values.value }}"},
    }  # fmt: skip
    gone = {"name": "swap", "tasks": [echo("a", 4), echo("b", 1, "a")]}
    with stack.db.write() as session:
        workflows.replace(session, stack.actor, job_id, gone, 1)
        workflows.replace(session, stack.actor, job_id, good, 2)
    with pytest.raises(Conflict, match="'ask' runs, and is not in that version"):
        repair_open(stack, run_id, version=2)
    repair_open(stack, run_id, version=3)
    give(stack, run_id, Action.APPROVE, "ask")
    assert stack.result(run_id).outputs == {"b": 3}
    with stack.db.read() as session:
        run = runs.get(session, run_id)
    assert (run.job_version, run.state) == (3, "completed")
    assert [key for key, _ in begun(stack, run_id)].count("a") == 1


def test_a_run_in_which_nothing_failed_is_not_repaired(stack: Stack) -> None:
    run_id = begin(stack, {"tasks": [ask(), echo("b", 1, "ask")]})
    seen(stack, run_id, "ask", "waiting")
    with pytest.raises(Conflict, match="Nothing failed"):
        repair_open(stack, run_id)
    give(stack, run_id, Action.APPROVE, "ask")
    assert stack.result(run_id).state == "completed"


def test_a_cancel_after_a_repair_is_not_lost(stack: Stack) -> None:
    document = {"failure_policy": "HOLD", "tasks": [flaky("a", "true"), ask()]}
    run_id = begin(stack, document)
    stack.ended(run_id, "a")
    seen(stack, run_id, "ask", "waiting")
    with stack.db.write() as session:
        _, order = repairs.record_open(session, stack.actor, run_id, Wish())
    stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))
    give(stack, run_id, Action.CANCEL)
    assert ended(stack, run_id).state == "cancelled"


def test_a_question_about_what_is_repaired_is_asked_anew(stack: Stack) -> None:
    document = {"tasks": [echo("a", 1), {**ask(required=2, approvers=["usr_system", "usr_bob"]),
                                         "depends_on": [{"task_key": "a"}]}]}  # fmt: skip
    run_id = begin(stack, document)
    seen(stack, run_id, "ask", "waiting")
    assert give(stack, run_id, Action.APPROVE, "ask") == {"outcome": None, "said": 1}
    told = repair_open(stack, run_id, tasks=["a"])
    assert [task["path"] for task in told["again"]] == ["a", "ask"]
    # What was said of the old result does not count for the new one; the order waits for the run.
    stack.wait_for(lambda _: _asked(stack, run_id) == 2 or None)
    assert give(stack, run_id, Action.APPROVE, "ask") == {"outcome": None, "said": 1}


def test_a_question_outlives_repairs_of_a_paused_run(stack: Stack) -> None:
    twice: dict[str, Any] = {"required": 2, "approvers": ["usr_system", "usr_bob"]}
    document = {
        "failure_policy": "HOLD",
        "tasks": [flaky("a", "params.broken"), echo("b", 1), ask(**twice)],
    }
    run_id = begin(stack, document, broken=True)
    stack.ended(run_id, "a")
    stack.ended(run_id, "b")
    give(stack, run_id, Action.APPROVE, "ask")
    give(stack, run_id, Action.PAUSE)
    repair_open(stack, run_id)
    # Given at once, orders wait until the repair has taken hold; `a` may not begin meanwhile.
    give(stack, run_id, Action.PAUSE, "a")
    repair_open(stack, run_id, tasks=["b"], parameters={"broken": False})
    give(stack, run_id, Action.RESUME, "a")
    give(stack, run_id, Action.RESUME)
    seen(stack, run_id, "a", "succeeded")
    with pytest.raises(Conflict, match="spoken already"):
        give(stack, run_id, Action.APPROVE, "ask")


def _asked(stack: Stack, run_id: str) -> int:
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0)
    return sum((event.task_key, event.kind) == ("ask", "waiting") for event in events)
