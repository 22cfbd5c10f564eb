"""What a terminated run leaves: the runs and loops that only it waited for end too."""

from typing import Any

from sqlalchemy.orm import Session
from temporalio.client import WorkflowExecutionStatus

from models.stores import runs
from racine.engine.states import RunState
from services import orphans
from services.reconciler import Reconciler
from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import await_event, begin, wait
from tests.temporal.test_loops import loop


def call(key: str, job: str, **more: Any) -> dict[str, Any]:
    return {"task_key": key, "run_job_task": {"job": job, **more}}


def below(stack: Stack, run_id: str) -> dict[str, runs.Run]:
    with stack.db.read() as session:
        found = runs.listed(
            session, "ws_1", runs.Which(parent_run_id=run_id), limit=10, cursor=None
        ).items
        return {run.parent_task_key or "": run for run in found}


def test_runs_below_a_terminated_run_end_but_for_those_let_go(stack: Stack) -> None:
    stack.save({"name": "leaf", "tasks": [wait("w", 9999)]})
    stack.save({"name": "middle", "tasks": [call("deep", "leaf")]})
    tasks = [call("waits", "middle"), call("lets_go", "leaf", wait=False),
             loop("each", list(range(120)), wait("long", 9999), concurrency=2)]  # fmt: skip
    run_id, handle = begin(stack, "top", {"tasks": tasks})
    await_event(stack, run_id, "each[0].long", "started")

    def deepest(_: Session) -> runs.Run | None:
        found = below(stack, run_id)
        if {"waits", "lets_go"} - set(found):
            return None
        return below(stack, found["waits"].id).get("deep")

    deep = stack.wait_for(deepest)
    await_event(stack, deep.id, "w", "started")
    stack.temporal.run(handle.terminate(reason="enough"))
    duties = Reconciler(stack.db, stack.temporal.client,
                        also=[orphans.Duty(stack.db, stack.temporal.client)])  # fmt: skip

    def ended(session: Session) -> runs.Run | None:
        stack.temporal.run(duties.round())
        run = runs.get(session, deep.id)
        return run if run.state == RunState.TERMINATED else None

    found = stack.wait_for(ended, 60)
    middle = below(stack, run_id)["waits"]
    assert middle.error == {
        "code": "parent_terminated",
        "message": f"The run {run_id}, whose task waited for it, was terminated.",
    }
    assert (found.error or {})["code"] == "parent_terminated"
    assert middle.ended_at is not None
    assert below(stack, run_id)["lets_go"].state == RunState.RUNNING
    of_loop = stack.temporal.client.get_workflow_handle(f"top/{run_id}/each[0]")

    def loop_closed(_: Session) -> bool | None:
        status = stack.temporal.run(of_loop.describe()).status
        return status is not WorkflowExecutionStatus.RUNNING or None

    assert stack.wait_for(loop_closed, 60)
