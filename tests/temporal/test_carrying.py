"""Runs that continue as new with waits, questions and loops half done."""

from typing import Any

from sqlalchemy.orm import Session
from temporalio.client import WorkflowHandle

from models.messages import ControlCall
from models.stores import runs
from tests.temporal.conftest import Stack
from tests.temporal.test_loops import echo, loop


def chain(length: int) -> list[dict[str, Any]]:
    return [echo(f"t{n}", 1, *([f"t{n - 1}"] if n else [])) for n in range(length)]


def wait(key: str, seconds: float, *upstream: str) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {"task_key": key, "wait_task": {"duration_seconds": seconds}, "depends_on": edges}


def begin(
    stack: Stack, name: str, document: dict[str, Any]
) -> tuple[str, WorkflowHandle[Any, Any]]:
    run_id = stack.start(stack.save({"name": name, **document}))
    return run_id, stack.temporal.client.get_workflow_handle(f"{name}/{run_id}")


def await_event(stack: Stack, run_id: str, key: str, kind: str) -> None:
    """Wait until the log of a run that goes on tells of something."""

    def look(session: Session) -> bool | None:
        events = runs.events_after(session, run_id, 0, limit=10_000)
        return any((e.task_key, e.kind) == (key, kind) for e in events) or None

    stack.wait_for(look)


def continued(stack: Stack, handle: WorkflowHandle[Any, Any]) -> bool:
    """Tell whether the run's first history has ended and another goes on."""
    described = stack.temporal.run(handle.describe())
    first = described.raw_description.workflow_execution_info.first_run_id
    return bool(first != described.run_id)


def test_open_waits_and_questions_are_taken_along(impatient: Stack) -> None:
    tasks = [
        *chain(40),
        wait("sleep", 2),
        {"task_key": "ask", "approval_task": {"required": 2, "timeout_seconds": 600}},
        echo("after", 1, "t39", "sleep", "ask"),
    ]
    run_id, handle = begin(impatient, "waits", {"tasks": tasks})

    def approve(actor: str) -> None:
        order = ControlCall(actor=actor, task_key="ask")
        impatient.temporal.run(handle.execute_update("approve", order))

    await_event(impatient, run_id, "ask", "waiting")
    approve("usr_one")
    await_event(impatient, run_id, "t39", "succeeded")
    assert continued(impatient, handle)
    approve("usr_two")
    assert impatient.result(run_id).state == "completed"
    events = impatient.events(run_id)
    for key in ("sleep", "ask", "after", *(f"t{n}" for n in range(40))):
        assert events.count((key, "succeeded")) == 1, key
    assert events.count(("ask", "waiting")) == 1


def test_a_loop_goes_on_where_it_was(impatient: Stack) -> None:
    inner = loop("inner", [1, 2], echo("x", "{{ item }}"), wait("w", 0.3, "x"), concurrency=1)
    body = [echo("a", "{{ item }}"), {**inner, "depends_on": [{"task_key": "a"}]}]
    tasks = [loop("each", list(range(6)), *body, concurrency=2), *chain(20)]
    outputs = {"done": "{{ tasks.each.values.succeeded }}"}
    run_id, handle = begin(impatient, "goes_on", {"tasks": tasks, "outputs": outputs})
    assert impatient.result(run_id).outputs == {"done": 6}
    assert continued(impatient, handle)
    events = impatient.events(run_id)
    for n in range(6):
        assert events.count((f"each[{n}].a", "succeeded")) == 1
        for m in range(2):
            assert events.count((f"each[{n}].inner[{m}].x", "succeeded")) == 1
            assert events.count((f"each[{n}].inner[{m}].w", "succeeded")) == 1
    assert len([key for key, kind in events if (key, kind) == ("each", "started")]) == 1


def test_a_run_that_a_task_waits_for_is_found_again(impatient: Stack) -> None:
    outputs = {"n": "{{ tasks.w.state }}"}
    impatient.save({"name": "other", "tasks": [wait("w", 4)], "outputs": outputs})
    tasks = [{"task_key": "go", "run_job_task": {"job": "other"}}, *chain(40)]
    document = {"tasks": tasks, "outputs": {"n": "{{ tasks.go.values.n }}"}}
    run_id, handle = begin(impatient, "calls", document)
    await_event(impatient, run_id, "t39", "succeeded")
    assert continued(impatient, handle)
    assert impatient.result(run_id).outputs == {"n": "succeeded"}
    with impatient.db.read() as session:
        assert len(runs.listed(session, "ws_1", runs.Which(), limit=10, cursor=None).items) == 2


def test_cancelling_reaches_a_run_found_again(impatient: Stack) -> None:
    impatient.save({"name": "other", "tasks": [wait("w", 999)]})
    tasks = [{"task_key": "go", "run_job_task": {"job": "other"}}, *chain(40)]
    run_id, handle = begin(impatient, "calls", {"tasks": tasks})
    await_event(impatient, run_id, "t39", "succeeded")
    assert continued(impatient, handle)
    impatient.temporal.run(handle.execute_update("cancel", ControlCall(actor="usr_one")))

    def cancelled(session: Session) -> bool | None:
        found = runs.listed(
            session, "ws_1", runs.Which(parent_run_id=run_id), limit=10, cursor=None
        ).items
        return [run.state for run in found] == ["cancelled"] or None

    assert impatient.wait_for(cancelled)
