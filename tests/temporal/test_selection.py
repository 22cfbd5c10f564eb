"""Runs of a part of a job, alone and over the results of an earlier run."""

from typing import Any

import pytest

from models.stores import runs
from racine.engine.selection import Selection
from racine.errors import InvalidInput
from services import executions
from services.executions import Launch
from tests.temporal.conftest import Stack
from tests.temporal.test_loops import echo
from tests.temporal.test_repair import begun, ended, repair

JOB: dict[str, Any] = {
    "name": "parts",
    "parameters": [{"name": "n", "default": 1}],
    "tasks": [
        echo("a", "{{ params.n }}"),
        echo("b", "{{ tasks.a.values.value + 1 }}", "a"),
        echo("c", "{{ tasks.b.values.value + 1 }}", "b"),
        echo("aside", 1),
    ],
    "outputs": {k: f"{{{{ tasks.{k}.values.value }}}}" for k in ("a", "b", "c")},
}


def go(stack: Stack, launch: Launch) -> str:
    stack.temporal.run(executions.start(stack.temporal.client, launch))
    executions.mark_started(stack.db, launch.run_id)
    return launch.run_id


def start(stack: Stack, job_id: str, **selection: Any) -> str:
    with stack.db.write() as session:
        launch = executions.record(
            session, stack.actor, job_id, {}, selection=Selection(**selection)
        )
    return go(stack, launch)


def test_a_part_of_a_job_runs_and_the_rest_is_left_out(stack: Stack) -> None:
    job_id = stack.save(JOB)
    until = start(stack, job_id, until=["b"])
    assert ended(stack, until).outputs == {"a": 1, "b": 2}
    assert {key for key, _ in begun(stack, until)} == {"a", "b"}
    only = start(stack, job_id, only=["aside"])
    assert (ended(stack, only).state, ended(stack, only).outputs) == ("completed", {})
    with pytest.raises(InvalidInput) as caught:
        start(stack, job_id, begin=["b"])
    assert [(f.pointer, f.message) for f in caught.value.faults] == [
        ("/values_from", "Task 'b' reads 'a', which is left out.")
    ]
    over = start(stack, job_id, only=["b"], values_from=until)
    assert ended(stack, over).outputs == {"a": 1, "b": 2}
    with pytest.raises(InvalidInput) as caught:
        start(stack, job_id, only=["nobody"])
    assert caught.value.faults[0].pointer == "/only/0"


def test_a_run_begins_anew_from_a_task(stack: Stack) -> None:
    first = stack.start(stack.save(JOB), n=10)
    assert ended(stack, first).outputs == {"a": 10, "b": 11, "c": 12}
    with stack.db.write() as session:
        launch = executions.rerun(session, stack.actor, first, ["b"], {"n": 50})
    again = go(stack, launch)
    run = ended(stack, again)
    assert (run.id != first, run.outputs, run.trigger) == (
        True, {"a": 10, "b": 11, "c": 12}, "rerun",
    )  # fmt: skip
    assert {key for key, _ in begun(stack, again)} == {"b", "c"}
    # A crash after the commit: the sweeper makes the same start of it.
    with stack.db.read() as session:
        assert executions.launch(session, runs.get(session, again)).input == launch.input
    assert repair(stack, again, tasks=["a"]).outputs == {"a": 50, "b": 51, "c": 52}
