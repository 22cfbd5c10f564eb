"""Retry rules, held tasks and compensation, on a real server."""

from typing import Any

import pytest
from sqlalchemy.orm import Session
from temporalio.client import WorkflowFailureError

from models.messages import ControlCall
from models.stores import runs
from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import await_event, begin, chain, continued
from tests.temporal.test_joins import ends
from tests.temporal.test_loops import echo, error_of, failing, play, succeeded


def ruled(key: str, *rules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**failing(key, "true"), "retry_rules": list(rules), **more}


def kinds(stack: Stack, run_id: str, key: str) -> list[str]:
    return [kind for found, kind in stack.events(run_id) if found == key]


def failed(stack: Stack, document: dict[str, Any]) -> str:
    run_id = stack.start(stack.save({"name": "failed", **document}))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    return run_id


def test_the_first_rule_that_holds_decides(stack: Stack) -> None:
    retry = {"when": "attempt < 3", "action": "RETRY", "delay_seconds": 0.01}
    skip = {"when": "error.code == 'invalid_input' && !error.retryable", "action": "SKIP"}
    run_id, _ = play(stack, {"tasks": [ruled("x", retry, skip), echo("after", 1, "x", "y"),
                                       echo("y", 1)]})  # fmt: skip
    assert kinds(stack, run_id, "x").count("failed") == 3
    assert ends(stack, run_id)["x"] == ("excluded", "rule")
    assert "after" in succeeded(stack, run_id)


def test_a_rule_bounds_its_attempts(stack: Stack) -> None:
    rule = {"action": "RETRY", "delay_seconds": 0, "maximum_attempts": 2}
    run_id = failed(stack, {"tasks": [ruled("x", rule)]})
    assert kinds(stack, run_id, "x").count("failed") == 2


def test_a_rule_fails_what_the_policy_would_try_again(stack: Stack) -> None:
    rule = {"when": "error.message.contains('divi')", "action": "FAIL"}
    run_id = failed(stack, {"tasks": [ruled("x", rule, retry_policy={"maximum_attempts": 5})]})
    assert kinds(stack, run_id, "x").count("failed") == 1


def test_where_no_rule_holds_the_policy_decides(stack: Stack) -> None:
    rule = {"when": "attempt > 10", "action": "SKIP"}
    run_id = failed(stack, {"tasks": [ruled("x", rule, retry_policy={"maximum_attempts": 5})]})
    assert kinds(stack, run_id, "x").count("failed") == 1  # a wrong input is not tried again


def test_a_held_task_waits_for_a_person(stack: Stack) -> None:
    tasks = [ruled("x", {"action": "HOLD"}), echo("after", "{{ tasks.x.values.value }}", "x")]
    run_id, handle = begin(stack, "held", {"tasks": tasks})

    def order(verb: str, **more: Any) -> None:
        call = ControlCall(actor=stack.actor.id, task_key="x", arguments=more)
        stack.temporal.run(handle.execute_update(verb, call))

    await_event(stack, run_id, "x", "held")
    order("retry")

    def again(session: Session) -> bool | None:
        events = runs.events_after(session, run_id, 0, limit=1000)
        return len([e for e in events if e.kind == "held"]) == 2 or None

    stack.wait_for(again)
    order("set_result", values={"value": 7})
    assert stack.result(run_id).state == "completed"
    assert kinds(stack, run_id, "x").count("failed") == 2


def test_a_held_task_is_held_in_the_next_history_too(impatient: Stack) -> None:
    tasks = [ruled("x", {"action": "HOLD"}), *chain(40)]
    run_id, handle = begin(impatient, "held", {"tasks": tasks})
    await_event(impatient, run_id, "t39", "succeeded")
    assert continued(impatient, handle)
    call = ControlCall(actor="usr_one", task_key="x")
    impatient.temporal.run(handle.execute_update("skip", call))
    assert impatient.result(run_id).state == "completed"


def undone(key: str, *upstream: str) -> dict[str, Any]:
    undo = echo(f"undo_{key}", f"{{{{ tasks.{key}.values.value }}}}")
    return {**echo(key, key, *upstream), "compensate_with": undo}


def test_what_succeeded_is_undone_last_first_before_anything_else(stack: Stack) -> None:
    document = {
        "tasks": [undone("a"), undone("b", "a"), undone("c", "b"),
                  {**failing("x", "true"), "depends_on": [{"task_key": "c"}],
                   "compensate_with": [echo("undo_x", 1)]}],
        "on_failure": [echo("told", "{{ tasks.a.state }}")],
        "finally": [echo("last", "{{ run.state }}")],
    }  # fmt: skip
    run_id = failed(stack, document)
    done = succeeded(stack, run_id)
    assert done == ["a", "b", "c", "undo_c", "undo_b", "undo_a", "told", "last"]
    assert error_of(stack, run_id)["task_key"] == "x"


def test_a_cancelled_run_is_undone_too_and_a_good_one_is_not(stack: Stack) -> None:
    good, _ = play(stack, {"tasks": [undone("a")]})
    assert succeeded(stack, good) == ["a"]
    wait = {"task_key": "w", "wait_task": {"duration_seconds": 999},
            "depends_on": [{"task_key": "a"}]}  # fmt: skip
    run_id, handle = begin(stack, "cancelled", {"tasks": [undone("a"), wait]})
    await_event(stack, run_id, "w", "started")
    stack.temporal.run(handle.execute_update("cancel", ControlCall(actor=stack.actor.id)))
    assert succeeded(stack, run_id) == ["a", "undo_a"]
