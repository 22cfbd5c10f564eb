"""Values over 64 KB travel by reference, and whatever a task does reads them all the same."""

from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_loops import echo, error_of, loop, play

COUNT, PAD = 150, "x" * 1_000
GIVEN = {"n": list(range(COUNT)), "pad": PAD}


def document(*tasks: dict[str, Any], **outputs: str) -> dict[str, Any]:
    """A job whose loop gives more than 64 KB, and tasks after it."""
    each = loop("each", "{{ params.n }}", echo("x", "{{ item }}"), concurrency=50,
                collect="{{ {'n': tasks.x.values.value, 'pad': params.pad} }}")  # fmt: skip
    after = [{**task, "depends_on": [{"task_key": "each"}]} for task in tasks]
    parameters = [{"name": name} for name in GIVEN]
    return {"parameters": parameters, "tasks": [each, *after], "outputs": outputs}


def test_what_a_loop_gave_is_read_by_tasks_of_every_kind(idle_stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "reads.py").write_text(
        "def count(rows, total):\n"
        "    assert all(row['pad'] == 'x' * 1000 for row in rows)\n"
        "    return {'same': len(rows) == total, 'last': rows[-1]['n']}\n"
    )
    rows = "{{ tasks.each.values.results }}"
    python = {"callable": "reads:count",
              "parameters": {"rows": rows, "total": "{{ tasks.each.values.total }}"}}  # fmt: skip
    with run_workers(idle_stack, [tmp_path]):
        idle_stack.save({
            "name": "callee", "parameters": [{"name": "last"}],
            "tasks": [echo("x", "{{ params.last }}")],
            "outputs": {"last": "{{ tasks.x.values.value }}"},
        })  # fmt: skip
        _, outputs = play(
            idle_stack,
            document(
                echo("size", "{{ size(tasks.each.values.results) }}"),
                {"task_key": "python", "python_task": python},
                {"task_key": "tell", "notify_task": {
                    "subject": "{{ tasks.each.values.results[3].n }} of"
                               " {{ tasks.each.values.total }}"}},
                {"task_key": "run", "run_job_task": {
                    "job": "callee",
                    "job_parameters": {"last": "{{ tasks.each.values.results[149].n }}"}}},
                loop("again", rows, echo("y", "{{ item.n + size(tasks.each.values.results) }}"),
                     collect="{{ tasks.y.values.value }}"),
                size="{{ tasks.size.values.value }}",
                python="{{ tasks.python.values }}",
                run="{{ tasks.run.values.last }}",
                again="{{ tasks.again.values.results[1] }}",
                first="{{ tasks.each.values.results[0].n }}",
                total="{{ tasks.each.values.total }}",
            ),
            **GIVEN,
        )  # fmt: skip
    assert outputs == {
        "size": COUNT, "python": {"same": True, "last": 149}, "run": 149, "again": 151,
        "first": 0, "total": COUNT,
    }  # fmt: skip


def test_a_large_value_of_any_task_is_read_by_the_next(stack: Stack) -> None:
    tasks = [
        echo("large", "{{ params.n }}"),
        echo("small", "{{ size(tasks.large.values.value) }}", "large"),
    ]
    outputs = {"size": "{{ tasks.small.values.value }}"}
    given = {"parameters": [{"name": "n"}], "tasks": tasks, "outputs": outputs}
    _, found = play(stack, given, n=["x" * 100] * 1_000)
    assert found == {"size": 1_000}


@pytest.mark.parametrize(
    "decides",
    [
        {"condition_task": {"expression": "size(tasks.each.values.results) > 1"}},
        {"condition_task": {"expression": "has(tasks.each.values.results)"}},
        {"switch_task": {"on": "{{ tasks.each.values.results }}", "cases": ["a"]}},
        {"noop_task": {}, "condition": "tasks.each.values.results[0].n == 0"},
        {"approval_task": {"prompt": "{{ tasks.each.values.results }}"}},
    ],
)
def test_where_the_run_itself_decides_a_large_value_is_refused(
    stack: Stack, decides: dict[str, Any]
) -> None:
    job = stack.save({"name": "decides", **document({"task_key": "it", **decides})})
    run_id = stack.start(job, **GIVEN)
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    error = error_of(stack, run_id)
    assert "reads tasks.each.values.results, which travels by reference" in error["message"]
    assert "let a task return what decides" in error["next_step"]
