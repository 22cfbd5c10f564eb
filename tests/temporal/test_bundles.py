"""New code never changes an old run: each keeps its version's bundle, and no worker restarts."""

from typing import Any

import pytest
from sqlalchemy.orm import Session
from temporalio.client import WorkflowFailureError

from models.stores import bundles as stored
from models.stores import runs
from racine import bundles
from services import controls, workflows
from tests.temporal.conftest import Stack

CODE = """
from shop import rates

def rate():
    return {"rate": rates.RATE}
"""


def upload(stack: Stack, rate: int, **more: bytes) -> str:
    files = {"prices.py": CODE.encode(), "shop/rates.py": f"RATE = {rate}\n".encode(), **more}
    content = bundles.pack(files)
    with stack.db.write() as session:
        return stored.put(session, "ws_1", content, len(files), "usr_1").digest


def job(digest: str) -> dict[str, Any]:
    code = {"callable": "prices:rate"}
    return {
        "name": "prices",
        "bundle": digest,
        "defaults": {"retry_policy": {"maximum_attempts": 1}},
        "tasks": [
            {"task_key": "before", "python_task": code},
            {"task_key": "gate", "approval_task": {"self_approval": True},
             "depends_on": [{"task_key": "before"}]},
            {"task_key": "each", "depends_on": [{"task_key": "gate"}],
             "for_each_task": {"inputs": [1], "tasks": [{"task_key": "one", "python_task": code}]}},
            {"task_key": "after", "python_task": code, "depends_on": [{"task_key": "gate"}]},
        ],
        "outputs": {
            "rates": "{{ [tasks.before.values.rate, tasks.after.values.rate] }}",
            "loop": "{{ tasks.each.values.succeeded }}",
        },
    }  # fmt: skip


def asked(session: Session, run_id: str) -> bool | None:
    events = runs.events_after(session, run_id, 0)
    return any(event.kind == "waiting" for event in events) or None


def approve(stack: Stack, run_id: str) -> None:
    stack.wait_for(lambda session: asked(session, run_id))
    with stack.db.write() as session:
        about = {"task_key": "gate"}
        order = controls.record(session, stack.actor, run_id, controls.Action.APPROVE, about)
    stack.temporal.run(controls.deliver(stack.db, stack.temporal.client, order))


def test_an_old_run_ends_with_its_code_and_a_new_one_gets_the_new(stack: Stack) -> None:
    job_id = stack.save(job(upload(stack, 1)))
    old = stack.start(job_id)
    stack.wait_for(lambda session: asked(session, old))
    with stack.db.write() as session:
        workflows.replace(session, stack.actor, job_id, job(upload(stack, 2)), 1)
    new = stack.start(job_id)
    for run_id in (new, old):
        approve(stack, run_id)
    assert stack.result(new).outputs == {"rates": [2, 2], "loop": 1}
    assert stack.result(old).outputs == {"rates": [1, 1], "loop": 1}


def test_code_that_asks_for_packages_nobody_installed_says_so(stack: Stack) -> None:
    digest = upload(stack, 1, **{"requirements.txt": b"no-such-package==1\n"})
    run_id = stack.start(stack.save(job(digest)))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    with stack.db.read() as session:
        error = runs.get(session, run_id).error
    assert error is not None
    assert "no-such-package is not there" in error["message"]
