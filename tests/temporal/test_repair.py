"""Repairs of runs that have ended, on a real server."""

import json
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models.stores import runs
from models.stores.runs import Run
from racine.errors import Conflict, InvalidInput
from services import executions, repairs, workflows
from services.controls import Action
from services.repairs import Wish
from tests.temporal.conftest import Stack
from tests.temporal.test_deep_orders import give
from tests.temporal.test_loops import echo, loop


def flaky(key: str, when: str, *upstream: str) -> dict[str, Any]:
    """An operation that fails while the condition over the parameters holds."""
    once = {"maximum_attempts": 1}
    return echo(key, f"{{{{ {when} ? 1 / 0 : 1 }}}}", *upstream, retry_policy=once)


def begin(stack: Stack, document: dict[str, Any], **parameters: Any) -> str:
    declared = [{"name": name} for name in parameters]
    document = {"name": "repairs", "parameters": declared, **document}
    return stack.start(stack.save(document), **parameters)


def ended(stack: Stack, run_id: str) -> Run:
    try:
        stack.result(run_id)
    except WorkflowFailureError:
        pass
    with stack.db.read() as session:
        return runs.get(session, run_id)


def preview(stack: Stack, run_id: str, **wish: Any) -> repairs.Repair:
    with stack.db.read() as session:
        return repairs.plan(session, stack.actor, run_id, Wish(**wish))


def begin_again(stack: Stack, run_id: str, **wish: Any) -> None:
    with stack.db.read() as session:
        run = runs.get(session, run_id)
        whole = repairs.is_whole(session, run)
    told = stack.temporal.run(repairs.told(lambda: stack.temporal.client, run, whole))
    with stack.db.write() as session:
        _, launch = repairs.record(session, stack.actor, run_id, Wish(**wish), told=told)
    stack.temporal.run(executions.start(stack.temporal.client, launch))
    executions.mark_started(stack.db, run_id)


def repair(stack: Stack, run_id: str, **wish: Any) -> Run:
    begin_again(stack, run_id, **wish)
    return ended(stack, run_id)


def begun(stack: Stack, run_id: str) -> list[tuple[str, int]]:
    """Return every task that was begun, with its attempt, in the log's order."""

    def look(session: Any) -> list[tuple[str, int]] | None:
        run = runs.get(session, run_id)
        events = runs.events_after(session, run_id, 0, limit=10_000)
        closed = {e.attempt for e in events if e.kind.startswith("run_")}
        found = [(e.task_key, e.attempt) for e in events if e.kind == "started"]
        return found if run.repair in closed else None

    return stack.wait_for(look)


def test_what_failed_runs_again_and_what_was_good_is_kept(stack: Stack) -> None:
    document = {
        "tasks": [
            echo("a", "{{ 20 + 1 }}"),
            flaky("b", "params.broken", "a"),
            echo("c", "{{ tasks.a.values.value * 2 + tasks.b.values.value }}", "a", "b"),
            echo("aside", 1),
        ],
        "outputs": {"c": "{{ tasks.c.values.value }}"},
    }
    run_id = begin(stack, document, broken=True)
    assert ended(stack, run_id).state == "failed"
    found = preview(stack, run_id, parameters={"broken": False})
    assert [(task.path, task.was, task.why) for task in found.outlook.again] == [
        ("b", "failed", "It failed."),
        ("c", "skipped", "It follows b."),
    ]
    assert [(task.path, task.state) for task in found.outlook.stays] == [
        ("a", "succeeded"), ("aside", "succeeded"),
    ]  # fmt: skip
    run = repair(stack, run_id, parameters={"broken": False}, reason="the source is back")
    assert (run.state, run.outputs, run.error) == ("completed", {"c": 43}, None)
    assert sorted(begun(stack, run_id)) == [("a", 1), ("aside", 1), ("b", 1), ("b", 1001),
                                            ("c", 1001)]  # fmt: skip
    (entry,) = run.repairs
    assert (entry["number"], entry["reason"], entry["was"]) == (1, "the source is back", "failed")
    assert entry["again"] == ["b", "c"]
    assert entry["parameters"] == {"broken": True}
    with pytest.raises(Conflict, match="Nothing failed"):
        repair(stack, run_id)


def test_a_repair_of_chosen_tasks_with_and_without_what_follows(stack: Stack) -> None:
    tasks = [echo("a", "{{ params.n }}"), echo("b", "{{ tasks.a.values.value }}", "a"),
             echo("c", "{{ tasks.b.values.value }}", "b")]  # fmt: skip
    outputs = {k: f"{{{{ tasks.{k}.values.value }}}}" for k in "abc"}
    run_id = begin(stack, {"tasks": tasks, "outputs": outputs}, n=1)
    ended(stack, run_id)
    run = repair(stack, run_id, tasks=["b"], parameters={"n": 2})
    assert run.outputs == {"a": 1, "b": 1, "c": 1}
    run = repair(stack, run_id, tasks=["a"], dependents=False)
    assert run.outputs == {"a": 2, "b": 1, "c": 1}
    run = repair(stack, run_id, tasks=["a"])
    assert run.outputs == {"a": 2, "b": 2, "c": 2}
    attempts = [attempt for key, attempt in begun(stack, run_id) if key == "b"]
    assert attempts == [1, 1001, 3001]
    with pytest.raises(InvalidInput) as caught:
        repair(stack, run_id, tasks=["nobody", "a[2]", "a.b"])
    assert "no path" in str(caught.value.faults[0].message)


def test_each_execution_of_a_run_leaves_a_question_of_its_own(stack: Stack) -> None:
    """What an order has decided anew has an attempt that no later execution uses again."""
    asked = {"self_approval": True}
    tasks = [
        {"task_key": "ask", "approval_task": asked},
        flaky("b", "params.broken"),
        {"task_key": "stay", "depends_on": [{"task_key": "b"}], "approval_task": asked},
    ]
    run_id = begin(stack, {"tasks": tasks}, broken=True)
    give(stack, run_id, Action.APPROVE, "ask")
    assert ended(stack, run_id).state == "failed"
    begin_again(stack, run_id, parameters={"broken": False})
    give(stack, run_id, Action.RETRY, "ask")
    give(stack, run_id, Action.CANCEL)
    assert ended(stack, run_id).state == "cancelled"
    begin_again(stack, run_id)
    give(stack, run_id, Action.APPROVE, "ask")
    give(stack, run_id, Action.APPROVE, "stay")
    assert ended(stack, run_id).state == "completed"

    def questions(session: Any) -> set[int] | None:
        events = runs.events_after(session, run_id, 0, limit=1000)
        found = {e.attempt for e in events if (e.task_key, e.kind) == ("ask", "waiting")}
        return found if any(e.kind == "run_completed" for e in events) else None

    assert len(stack.wait_for(questions)) == 3


def test_a_repair_takes_another_version_and_says_what_differs(stack: Stack) -> None:
    broken: dict[str, Any] = {"name": "versions", "tasks": [echo("a", 7), flaky("b", "true", "a")]}
    job_id = stack.save(broken)
    run_id = stack.start(job_id)
    ended(stack, run_id)
    better = {
        "name": "versions",
        "tasks": [echo("a", 8), echo("b", "{{ tasks.a.values.value }}", "a"), echo("d", 1, "b")],
        "outputs": {"b": "{{ tasks.b.values.value }}"},
    }
    with stack.db.write() as session:
        workflows.replace(session, stack.actor, job_id, better, 1)
    assert repair(stack, run_id).state == "failed"
    found = preview(stack, run_id, version=0)
    assert {change.task for change in found.changes} >= {"a", "b", "d"}
    assert (found.from_version, found.to.number) == (1, 2)
    assert {task.path: task.why for task in found.outlook.again}["d"] == "It has not run yet."
    run = repair(stack, run_id, version=0)
    assert (run.state, run.outputs, run.job_version) == ("completed", {"b": 7}, 2)


def test_a_terminated_run_is_repaired_from_its_history(stack: Stack) -> None:
    document: dict[str, Any] = {
        "tasks": [
            echo("a", 5),
            {"task_key": "nap", "wait_task": {"duration_seconds": 3600},
             "depends_on": [{"task_key": "a"}]},
            echo("c", "{{ tasks.a.values.value }}", "nap"),
        ],
        "outputs": {"c": "{{ tasks.c.values.value }}"},
    }  # fmt: skip
    run_id = begin(stack, document)
    stack.wait_for(
        lambda session: True
        if any(e.task_key == "nap" for e in runs.events_after(session, run_id, 0)) else None
    )  # fmt: skip
    handle = stack.temporal.client.get_workflow_handle(f"repairs/{run_id}")
    stack.temporal.run(handle.terminate())
    with stack.db.write() as session:
        runs.finish(session, run_id, "terminated", {}, None)
    job = {"name": "repairs", "tasks": [document["tasks"][0], echo("nap", 1, "a"),
           document["tasks"][2]], "outputs": document["outputs"]}  # fmt: skip
    with stack.db.write() as session:
        workflows.replace(session, stack.actor, runs.get(session, run_id).job_id, job, 1)
    run = repair(stack, run_id, version=0)
    assert (run.state, run.outputs) == ("completed", {"c": 5})
    assert [key for key, _ in begun(stack, run_id)].count("a") == 1


@pytest.mark.parametrize("count", [8, 230])
def test_only_the_iterations_that_failed_run_again(stack: Stack, count: int) -> None:
    body = [echo("get", "{{ item }}"),
            flaky("clean", "params.broken && item % 50 == 3", "get"),
            echo("put", "{{ tasks.get.values.value }}", "clean", "get")]  # fmt: skip
    document = {
        "tasks": [loop("per_table", list(range(count)), *body, max_failed_percent=100),
                  flaky("after", "params.broken", "per_table")],
        "outputs": {"good": "{{ tasks.per_table.values.succeeded }}",
                    "bad": "{{ tasks.per_table.values.failed_items }}"},
    }  # fmt: skip
    run_id = begin(stack, document, broken=True)
    run = ended(stack, run_id)
    assert run.state == "failed"
    bad = [n for n in range(count) if n % 50 == 3]
    found = preview(stack, run_id, tasks=["per_table", "after"])
    wanted = [f"per_table[{n}].{key}" for n in bad for key in ("clean", "put")]
    assert [task.path for task in found.outlook.again] == [*wanted, "after"]
    stays = {task.path: task.iterations for task in found.outlook.stays}
    assert stays == {"per_table": count - len(bad)}
    run = repair(stack, run_id, tasks=["per_table", "after"], parameters={"broken": False})
    assert (run.state, run.outputs) == ("completed", {"good": count, "bad": []})
    again = [key for key, attempt in begun(stack, run_id) if attempt > 1000]
    assert sorted(again) == sorted([*wanted, "after"])


@pytest.mark.parametrize("count", [3, 60])
def test_a_single_iteration_of_a_loop_in_a_loop_is_repaired(stack: Stack, count: int) -> None:
    clean = flaky("clean", "params.broken && item == 5 && outer.item_index == 2")
    inner = loop("inner", [4, 5, 6], echo("get", "{{ item }}"), clean)
    document = {
        "tasks": [loop("outermost", list(range(count)), echo("first", 1), inner)],
        "outputs": {"done": "{{ tasks.outermost.values.succeeded }}"},
    }
    run_id = begin(stack, document, broken=True)
    assert ended(stack, run_id).state == "failed"
    path = "outermost[2].inner[1].clean"
    found = preview(stack, run_id, tasks=[path])
    assert next(task.path for task in found.outlook.again) == path
    run = repair(stack, run_id, tasks=[path], parameters={"broken": False})
    assert (run.state, run.outputs) == ("completed", {"done": count})
    again = {key for key, attempt in begun(stack, run_id) if attempt > 1000}
    began_before = {key for key, attempt in begun(stack, run_id) if attempt <= 1000}
    assert path in again
    # Those that a failure kept from beginning begin now; of the rest, that one task alone.
    assert {key for key in again & began_before if "inner[" in key} == {path}


def test_results_outlive_temporals_history(stack: Stack, tmp_path: Path) -> None:
    document = {"tasks": [echo("a", 11), flaky("b", "params.broken", "a")],
                "outputs": {"a": "{{ tasks.a.values.value }}"}}  # fmt: skip
    run_id = begin(stack, document, broken=True)
    ended(stack, run_id)
    with stack.db.read() as session:
        assert repairs.is_whole(session, runs.get(session, run_id))
        found = repairs.plan(session, stack.actor, run_id, Wish(parameters={"broken": False}))
    kept = json.loads(found.outlook.left.model_dump_json(exclude_defaults=True))
    assert kept["results"] == {"a": {"state": "succeeded", "values": {"value": 11}}}
