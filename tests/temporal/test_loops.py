"""Switches, loops of every size and depth, and what comes after a run."""

from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from models.messages import ControlCall
from models.stores import runs
from tests.temporal.conftest import Stack


def echo(key: str, value: Any, *upstream: str, **more: Any) -> dict[str, Any]:
    return {
        "task_key": key,
        "operation_task": {"operation": "racine.noop", "input": {"value": value}},
        "depends_on": [{"task_key": up} for up in upstream],
        **more,
    }


def loop(key: str, inputs: Any, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"task_key": key, "for_each_task": {"inputs": inputs, "tasks": list(tasks), **more}}


def failing(key: str, when: str) -> dict[str, Any]:
    """An operation that fails where the condition holds: it divides by zero."""
    return echo(key, f"{{{{ {when} ? 1 / 0 : 1 }}}}", retry_policy={"maximum_attempts": 1})


def play(stack: Stack, document: dict[str, Any], **parameters: Any) -> tuple[str, dict[str, Any]]:
    run_id = stack.start(stack.save({"name": "loops", **document}), **parameters)
    return run_id, stack.result(run_id).outputs


def succeeded(stack: Stack, run_id: str) -> list[str]:
    return [key for key, kind in stack.events(run_id) if kind == "succeeded"]


def error_of(stack: Stack, run_id: str) -> dict[str, Any]:
    with stack.db.read() as session:
        return runs.get(session, run_id).error or {}


@pytest.mark.parametrize(("env", "taken"), [("prod", "p"), ("uat", "u"), ("other", "u")])
def test_a_switch_takes_one_branch(stack: Stack, env: str, taken: str) -> None:
    spec = {"on": "{{ params.env }}", "cases": ["prod", "uat"], "default": "uat"}
    document: dict[str, Any] = {
        "parameters": [{"name": "env"}],
        "tasks": [
            {"task_key": "route", "switch_task": spec},
            echo("p", 1, depends_on=[{"task_key": "route", "outcome": "prod"}]),
            echo("u", 1, depends_on=[{"task_key": "route", "outcome": "uat"}]),
        ],
    }
    run_id, _ = play(stack, document, env=env)
    assert sorted(succeeded(stack, run_id)) == sorted(["route", taken])


def test_a_loop_runs_its_tasks_for_every_item(stack: Stack) -> None:
    document: dict[str, Any] = {
        "parameters": [{"name": "tables"}],
        "tasks": [
            echo("before", 5),
            {
                **loop(
                    "each",
                    "{{ params.tables }}",
                    echo("a", "{{ item.name + string(item_index + tasks.before.values.value) }}"),
                    echo("b", "{{ tasks.a.values.value }}", "a"),
                ),
                "depends_on": [{"task_key": "before"}],
            },
        ],
        "outputs": {"done": "{{ tasks.each.values.succeeded }}"},
    }
    run_id, outputs = play(stack, document, tables=[{"name": "x"}, {"name": "y"}])
    assert outputs == {"done": 2}
    wanted = {"before", "each", "each[0].a", "each[0].b", "each[1].a", "each[1].b"}
    assert set(succeeded(stack, run_id)) == wanted


def test_loops_nest_and_see_the_items_around(stack: Stack) -> None:
    inner = loop("inner", "{{ item }}", echo("x", "{{ outer.item_index * 10 + item }}"))
    document: dict[str, Any] = {
        "tasks": [loop("outermost", [[1, 2], [], [3]], inner)],
        "outputs": {"done": "{{ tasks.outermost.values.succeeded }}"},
    }
    run_id, outputs = play(stack, document)
    assert outputs == {"done": 3}
    ran = [key for key in succeeded(stack, run_id) if key.endswith(".x")]
    assert sorted(ran) == [
        "outermost[0].inner[0].x", "outermost[0].inner[1].x", "outermost[2].inner[0].x",
    ]  # fmt: skip


def test_a_large_loop_runs_in_workflows_of_its_own(stack: Stack) -> None:
    document: dict[str, Any] = {
        "parameters": [{"name": "n"}],
        "tasks": [
            loop("each", "{{ params.n }}", echo("x", "{{ item }}"), concurrency=40),
        ],
        "outputs": {"done": "{{ tasks.each.values.succeeded }}"},
    }
    run_id, outputs = play(stack, document, n=list(range(450)))
    assert outputs == {"done": 450}
    assert len([key for key in succeeded(stack, run_id) if key.endswith(".x")]) == 450
    query = f"WorkflowType = 'RacineLoop' AND WorkflowId STARTS_WITH 'loops/{run_id}'"

    async def children() -> int:
        count = await stack.temporal.client.count_workflows(query)
        return count.count

    assert stack.temporal.run(children()) == 3


def test_batches_give_lists_of_items(stack: Stack) -> None:
    document: dict[str, Any] = {
        "parameters": [{"name": "n"}],
        "tasks": [loop("each", "{{ params.n }}", echo("x", "{{ size(item) }}"), batch_size=1000)],
        "outputs": {"batches": "{{ tasks.each.values.total }}"},
    }
    _, outputs = play(stack, document, n=list(range(2500)))
    assert outputs == {"batches": 3}


def test_items_of_a_large_output_are_read_from_its_blob(stack: Stack) -> None:
    document: dict[str, Any] = {
        "parameters": [{"name": "rows"}],
        "tasks": [
            echo("rows", "{{ params.rows }}"),
            {
                **loop(
                    "each", "{{ tasks.rows.values.value }}", echo("x", "{{ item_index }}"),
                    batch_size=5000,
                ),
                "depends_on": [{"task_key": "rows"}],
            },
        ],
        "outputs": {"batches": "{{ tasks.each.values.total }}"},
    }  # fmt: skip
    _, outputs = play(stack, document, rows=["x" * 10] * 9000)
    assert outputs == {"batches": 2}


def test_a_loop_fails_when_too_many_items_do(stack: Stack) -> None:
    def document(percent: float) -> dict[str, Any]:
        body = failing("x", "item % 4 == 0")
        tasks = [loop("each", list(range(20)), body, max_failed_percent=percent)]
        return {"tasks": tasks, "outputs": {"failed": "{{ tasks.each.values.failed_items }}"}}

    _, outputs = play(stack, document(25))
    assert outputs == {"failed": [0, 4, 8, 12, 16]}
    run_id = stack.start(stack.save({"name": "strict", **document(0)}))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    error = error_of(stack, run_id)
    assert error["code"] == "items_failed"
    assert "[0].x" in error["message"]


def test_a_loop_over_no_list_is_a_clear_error(stack: Stack) -> None:
    document: dict[str, Any] = {
        "name": "no_list",
        "parameters": [{"name": "n"}],
        "tasks": [loop("each", "{{ params.n }}", echo("x", 1))],
    }
    run_id = stack.start(stack.save(document), n=3)
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert "over a list" in error_of(stack, run_id)["message"]


def test_cancelling_a_run_cancels_its_loops(stack: Stack) -> None:
    document: dict[str, Any] = {
        "name": "cancelled_loops",
        "parameters": [{"name": "n"}],
        "tasks": [
            loop("small", list(range(50)), echo("x", 1), echo("y", 1, "x"), concurrency=1),
            loop("large", "{{ params.n }}", echo("z", 1), concurrency=2),
        ],
    }
    run_id = stack.start(stack.save(document), n=list(range(1000)))
    handle = stack.temporal.client.get_workflow_handle(f"cancelled_loops/{run_id}")
    order = ControlCall(actor="usr_system")
    stack.temporal.run(handle.execute_update("pause", order))
    stack.temporal.run(handle.execute_update("resume", order))
    stack.temporal.run(handle.execute_update("cancel", order))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert stack.temporal.run(handle.describe()).status is WorkflowExecutionStatus.CANCELED


def test_what_comes_after_runs_by_how_the_run_ended(stack: Stack) -> None:
    after = {
        "on_failure": [echo("tell", "{{ tasks.work.state }}")],
        "finally": [echo("clean", "{{ run.state }}")],
    }
    good, _ = play(stack, {"tasks": [echo("work", 1)], **after})
    assert set(succeeded(stack, good)) == {"work", "clean"}
    bad = stack.start(stack.save({"name": "bad", "tasks": [failing("work", "true")], **after}))
    with pytest.raises(WorkflowFailureError):
        stack.result(bad)
    assert {"tell", "clean"} <= set(succeeded(stack, bad))
    assert error_of(stack, bad)["task_key"] == "work"


def test_a_failing_finally_fails_the_run(stack: Stack) -> None:
    document: dict[str, Any] = {"tasks": [echo("work", 1)], "finally": [failing("clean", "true")]}
    run_id = stack.start(stack.save({"name": "unclean", **document}))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    assert error_of(stack, run_id)["task_key"] == "clean"
