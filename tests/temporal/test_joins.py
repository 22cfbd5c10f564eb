"""Joins, conditions of single tasks and failing fast, on a real server."""

from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models.stores import runs
from tests.temporal.conftest import Stack
from tests.temporal.test_loops import echo, failing, play


def ends(stack: Stack, run_id: str) -> dict[str, tuple[str, Any]]:
    """Return how each task ended, and why if it did not run."""
    stack.events(run_id)
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0, limit=10_000)
    kinds = ("succeeded", "failed", "skipped", "excluded", "cancelled")
    return {e.task_key: (e.kind, e.body.get("reason")) for e in events if e.kind in kinds}


def test_an_any_join_goes_on_with_the_first(stack: Stack) -> None:
    slow = {"task_key": "slow", "wait_task": {"duration_seconds": 1}}
    join = echo("join", 1, "quick", "slow", join="any")
    run_id, _ = play(stack, {"tasks": [echo("quick", 1), slow, join]})
    order = [key for key, kind in stack.events(run_id) if kind == "succeeded"]
    assert order.index("join") < order.index("slow")
    assert order.count("join") == 1


def test_a_join_of_n_starts_without_the_failed(stack: Stack) -> None:
    tasks = [echo("a", 1), echo("b", 1), failing("c", "true")]
    join = echo("join", 1, "a", "b", "c", join="n_of", join_count=2)
    run_id, _ = play(stack, {"tasks": [*tasks, join]})
    assert ends(stack, run_id)["join"] == ("succeeded", None)


def test_a_task_whose_condition_is_false_is_excluded(stack: Stack) -> None:
    tasks = [
        echo("rows", 0),
        echo("no", 1, "rows", condition="tasks.rows.values.value > 0"),
        echo("yes", "{{ tasks.rows.values.value }}", "rows", condition="params.go"),
        echo("after", 1, "no", "yes"),
    ]
    parameters = [{"name": "go", "schema": {"type": "boolean"}, "default": True}]
    run_id, _ = play(stack, {"tasks": tasks, "parameters": parameters})
    ended = ends(stack, run_id)
    assert ended["no"] == ("excluded", "condition")
    assert ended["yes"] == ended["after"] == ("succeeded", None)


def test_a_run_that_fails_fast_cancels_what_runs(stack: Stack) -> None:
    loop_of_waits = {
        "inputs": [1, 2],
        "tasks": [{"task_key": "inner", "wait_task": {"duration_seconds": 3600}}],
    }
    document: dict[str, Any] = {
        "name": "fast",
        "failure_policy": "FAIL_FAST",
        "tasks": [
            failing("bad", "true"),
            {"task_key": "long", "wait_task": {"duration_seconds": 3600}},
            {"task_key": "each", "for_each_task": loop_of_waits},
            echo("next", 1, "long"),
        ],
        "finally": [echo("clean", 1)],
    }
    run_id = stack.start(stack.save(document))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    ended = ends(stack, run_id)
    assert ended["bad"][0] == "failed"
    assert ended["next"] == ("skipped", "fail_fast")
    assert ended["long"][0] == ended["each"][0] == "cancelled"
    assert ended["clean"][0] == "succeeded"
