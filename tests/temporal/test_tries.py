"""Trying again what the interpreter itself carries out: runs of jobs, loops, waits, questions."""

from typing import Any

from models.messages import ControlCall
from models.stores import runs
from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import await_event
from tests.temporal.test_carrying import begin as start
from tests.temporal.test_joins import ends
from tests.temporal.test_loops import echo, failing, loop, play
from tests.temporal.test_rules import failed, kinds


def after(task: dict[str, Any], *upstream: str) -> dict[str, Any]:
    return {**task, "depends_on": [{"task_key": key} for key in upstream]}


POLICY = {"maximum_attempts": 3, "initial_interval_seconds": 0.01}


def test_a_run_that_failed_is_begun_again_by_its_tasks_policy(stack: Stack) -> None:
    stack.save({"name": "other", "tasks": [failing("x", "true")]})
    task = {"task_key": "go", "run_job_task": {"job": "other"}}
    run_id = failed(stack, {"tasks": [{**task, "retry_policy": POLICY}]})
    with stack.db.read() as session:
        found = runs.listed(
            session, "ws_1", runs.Which(parent_run_id=run_id), limit=10, cursor=None
        ).items
    assert [run.state for run in found] == ["failed"] * 3
    assert kinds(stack, run_id, "go").count("failed") == 3


def test_a_run_is_begun_once_where_its_task_says_nothing(stack: Stack) -> None:
    stack.save({"name": "other", "tasks": [failing("x", "true")]})
    task = {"task_key": "go", "run_job_task": {"job": "other"}}
    skip = {"when": "error.code == 'timed_out'", "action": "SKIP"}
    for name, more in (("plain", {}), ("ruled", {"retry_rules": [skip]})):
        document = {"name": name, "defaults": {"retry_policy": POLICY}}
        run_id = failed(stack, {**document, "tasks": [{**task, **more}]})
        assert kinds(stack, run_id, "go").count("failed") == 1


def test_rules_judge_a_run_that_could_not_even_be_recorded(stack: Stack) -> None:
    number = {"name": "n", "schema": {"type": "integer"}, "required": True}
    stack.save({"name": "other", "parameters": [number], "tasks": [echo("a", 1)]})
    rule = {"when": "error.code == 'invalid_input'", "action": "SKIP"}
    call = {"job": "other", "job_parameters": {"n": "{{ params.text }}"}}
    task = {"task_key": "go", "run_job_task": call, "retry_rules": [rule]}
    parameters = [{"name": "text", "default": "no number"}]
    run_id, _ = play(stack, {"parameters": parameters, "tasks": [task]})
    assert ends(stack, run_id)["go"] == ("excluded", "rule")


def test_a_loop_tries_only_its_failed_iterations_again(stack: Stack) -> None:
    body = [echo("good", "{{ item }}"), after(failing("x", "item == 2"), "good")]
    each = loop("each", [1, 2], *body, concurrency=1)
    run_id = failed(stack, {"tasks": [{**each, "retry_policy": POLICY}]})
    assert kinds(stack, run_id, "each").count("failed") == 3
    assert kinds(stack, run_id, "each[0].x").count("succeeded") == 1
    assert kinds(stack, run_id, "each[1].x").count("failed") == 3


def test_a_loop_whose_items_are_no_list_is_held_by_a_rule(stack: Stack) -> None:
    each = {**loop("each", "{{ params.items }}", echo("a", 1)), "retry_rules": [{"action": "HOLD"}]}
    document = {"parameters": [{"name": "items", "default": 3}], "tasks": [each]}
    run_id, handle = start(stack, "held_loop", document)
    await_event(stack, run_id, "each", "held")
    skip = ControlCall(actor=stack.actor.id, task_key="each")
    stack.temporal.run(handle.execute_update("skip", skip))
    assert stack.result(run_id).state == "completed"
    assert ends(stack, run_id)["each"] == ("excluded", "skipped")


def test_a_condition_that_cannot_be_asked_is_skipped_by_a_rule(stack: Stack) -> None:
    asked = {"task_key": "ask", "condition_task": {"expression": "params.n / params.zero > 1"},
             "retry_rules": [{"action": "SKIP"}]}  # fmt: skip
    parameters = [{"name": "n", "default": 1}, {"name": "zero", "default": 0}]
    run_id, _ = play(stack, {"parameters": parameters, "tasks": [asked]})
    assert ends(stack, run_id)["ask"] == ("excluded", "rule")


def test_a_signal_that_did_not_come_is_waited_for_again(stack: Stack) -> None:
    wait = {"task_key": "w", "wait_task": {"signal": "s", "timeout_seconds": 0.2},
            "retry_policy": {**POLICY, "maximum_attempts": 2}}  # fmt: skip
    run_id = failed(stack, {"tasks": [wait]})
    assert kinds(stack, run_id, "w").count("failed") == 2


def test_the_time_for_all_tries_is_one(stack: Stack) -> None:
    rule = {"action": "RETRY", "delay_seconds": 3600, "maximum_attempts": 9}
    task = {**failing("x", "true"), "retry_rules": [rule], "schedule_to_close_timeout_seconds": 60}
    run_id = failed(stack, {"tasks": [task]})
    assert kinds(stack, run_id, "x").count("failed") == 1
