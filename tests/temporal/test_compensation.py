"""Undoing what iterations of loops have done, and repairing what was undone, on a real server."""

from typing import Any

from models.messages import ControlCall
from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import await_event, continued
from tests.temporal.test_carrying import begin as start
from tests.temporal.test_loops import echo, loop, succeeded
from tests.temporal.test_repair import begin, begun, ended, flaky, preview, repair


def undone(key: str, value: str, right: str, *upstream: str) -> dict[str, Any]:
    """A task whose undoing fails unless the condition holds over what it reads."""
    undo = echo(f"undo_{key}", f"{{{{ {right} ? 1 : 1 / 0 }}}}",
                retry_policy={"maximum_attempts": 1})  # fmt: skip
    return {**echo(key, f"{{{{ {value} }}}}", *upstream), "compensate_with": undo}


def after(task: dict[str, Any], *upstream: str) -> dict[str, Any]:
    return {**task, "depends_on": [{"task_key": key} for key in upstream]}


def undoing(stack: Stack, run_id: str) -> list[str]:
    """Return what was undone, in order, once the log of the run's last execution is closed."""
    begun(stack, run_id)
    return [key for key in succeeded(stack, run_id) if "undo_" in key]


def test_iterations_are_undone_last_first_and_before_what_they_followed(stack: Stack) -> None:
    right = "tasks.x.values.value == item * 10 && tasks.first.values.value == 7"
    body = [undone("x", "item * 10", right), undone("y", "item", "tasks.x.state != 'failed'", "x"),
            flaky("z", "item == params.bad", "y")]  # fmt: skip
    document = {
        "tasks": [undone("first", "7", "true"),
                  after(loop("each", [1, 2, 3], *body, concurrency=1), "first")],
        "finally": [echo("last", 1)],
    }  # fmt: skip
    run_id = begin(stack, document, bad=3)
    assert ended(stack, run_id).state == "failed"
    assert undoing(stack, run_id) == [
        "each[2].undo_y", "each[2].undo_x",
        "each[1].undo_y", "each[1].undo_x",
        "each[0].undo_y", "each[0].undo_x",
        "undo_first",
    ]  # fmt: skip
    assert succeeded(stack, run_id)[-1] == "last"


def test_a_repair_runs_iterations_again_that_were_undone(stack: Stack) -> None:
    body = [undone("x", "item", "true"), flaky("z", "item == params.bad", "x")]
    document = {
        "tasks": [undone("first", "7", "true"),
                  after(loop("each", [1, 2, 3], *body, concurrency=1), "first"),
                  after(loop("safe", [1], echo("s", 1)), "first"),
                  flaky("later", "params.late", "each")],
    }  # fmt: skip
    run_id = begin(stack, document, bad=2, late=True)
    assert ended(stack, run_id).state == "failed"
    told = {task.path for task in preview(stack, run_id).outlook.again}
    assert {"first", "each[0]", "each[1].x", "each[1].z"} <= told
    assert ended(stack, run_id).state == "failed"
    assert repair(stack, run_id, parameters={"bad": 0}).state == "failed"
    assert undoing(stack, run_id) == [
        "each[1].undo_x", "each[0].undo_x", "undo_first",
        "each[2].undo_x", "each[1].undo_x", "each[0].undo_x", "undo_first",
    ]  # fmt: skip
    assert repair(stack, run_id, parameters={"late": False}).state == "completed"
    counts: dict[str, int] = {}
    for key, _ in begun(stack, run_id):
        counts[key] = counts.get(key, 0) + 1
    assert (counts["first"], counts["each[0].x"], counts["each[2].x"]) == (3, 3, 2)
    assert len(undoing(stack, run_id)) == 7


def test_nested_loops_are_undone_inside_out(stack: Stack) -> None:
    right = "tasks.x.values.value == outer.item + item && tasks.head.values.value == outer.item"
    inner = after(loop("inner", [1, 2], undone("x", "outer.item + item", right), concurrency=1),
                  "head")  # fmt: skip
    head = undone("head", "item", "tasks.head.values.value == item")
    tasks = [loop("outermost", [10, 20], head, inner, concurrency=1),
             flaky("z", "true", "outermost")]  # fmt: skip
    run_id = begin(stack, {"tasks": tasks})
    assert ended(stack, run_id).state == "failed"
    assert undoing(stack, run_id) == [
        "outermost[1].inner[1].undo_x", "outermost[1].inner[0].undo_x", "outermost[1].undo_head",
        "outermost[0].inner[1].undo_x", "outermost[0].inner[0].undo_x", "outermost[0].undo_head",
    ]  # fmt: skip


def test_rounds_of_a_while_are_undone(stack: Stack) -> None:
    body = [undone("x", "iteration * 2", "tasks.x.values.value == iteration * 2")]
    tasks = [
        {"task_key": "again", "while_task": {"condition": "iteration < 2", "tasks": body}},
        flaky("z", "true", "again"),
    ]
    run_id = begin(stack, {"tasks": tasks})
    assert ended(stack, run_id).state == "failed"
    assert undoing(stack, run_id) == [f"again[{n}].undo_x" for n in (2, 1, 0)]


def test_loops_in_workflows_of_their_own_are_undone_and_repaired(stack: Stack) -> None:
    long = "'" + "x" * 2000 + "'"
    right = f"tasks.x.values.value == {long} + string(item)"
    each = loop("each", list(range(120)), undone("x", f"{long} + string(item)", right),
                flaky("y", "item == params.bad", "x"), concurrency=20)  # fmt: skip
    run_id = begin(stack, {"tasks": [each, flaky("z", "params.late", "each")]}, bad=-1, late=True)
    assert ended(stack, run_id).state == "failed"
    found = undoing(stack, run_id)
    assert len(found) == len(set(found)) == 120
    assert repair(stack, run_id, parameters={"late": False}).state == "completed"
    assert [key for key, _ in begun(stack, run_id)].count("each[7].x") == 2


def test_a_stretch_that_is_cancelled_tells_what_can_be_undone(stack: Stack) -> None:
    hang = {"task_key": "w", "depends_on": [{"task_key": "x"}], "condition": "item == 119",
            "wait_task": {"duration_seconds": 9999}}  # fmt: skip
    each = loop("each", list(range(120)), undone("x", "item", "true"), hang, concurrency=30)
    run_id, handle = start(stack, "cancelled", {"tasks": [each]})
    await_event(stack, run_id, "each[119].w", "started")
    stack.temporal.run(handle.execute_update("cancel", ControlCall(actor=stack.actor.id)))
    assert ended(stack, run_id).state == "cancelled"
    done = [key for key in succeeded(stack, run_id) if key.endswith(".x")]
    assert sorted(undoing(stack, run_id)) == sorted(key.replace(".x", ".undo_x") for key in done)
    assert "each[119].undo_x" in undoing(stack, run_id)


def test_undoing_goes_on_in_the_next_history(impatient: Stack) -> None:
    body = [undone("x", "item", "tasks.x.values.value == item")]
    tasks = [undone("first", "7", "true"),
             after(loop("each", list(range(30)), *body, concurrency=1), "first"),
             flaky("z", "true", "each")]  # fmt: skip
    run_id, handle = start(impatient, "long", {"tasks": tasks})
    assert ended(impatient, run_id).state == "failed"
    assert continued(impatient, handle)
    wanted = [f"each[{n}].undo_x" for n in reversed(range(30))]
    assert undoing(impatient, run_id) == [*wanted, "undo_first"]


def test_what_was_done_before_a_repair_is_undone_when_the_repair_fails(stack: Stack) -> None:
    each = loop("each", [1, 2], undone("x", "item", "true"), concurrency=1)
    run_id = begin(stack, {"tasks": [each, flaky("z", "params.late", "each")]}, late=False)
    assert ended(stack, run_id).state == "completed"
    assert repair(stack, run_id, tasks=["z"], parameters={"late": True}).state == "failed"
    assert undoing(stack, run_id) == ["each[1].undo_x", "each[0].undo_x"]
