"""Breaches of health rules: an event of the run and one notification, once for each rule."""

from typing import Any
from zlib import crc32

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores import notifications, runs
from models.stores.runs import Run
from models.tables.runs import RunEvent

_PLACE = 1 << 30
"""Breaches stand beyond all other events of a run, each at a place that follows from its rule."""
_DONE = {
    "notify": "It goes on.",
    "cancel": "It was cancelled.",
    "fail": "It was ended as failed.",
}


def tell(session: Session, run: Run, body: dict[str, Any], repair: int) -> None:
    """Write a breach down; again changes nothing.

    `body` has `rule`, `task_key`, `metric`, `value`, `on_breach` and `message`.
    """
    job, rule, task_key = run.workflow_id.split("/")[0], body["rule"], body["task_key"]
    notifications.leave(
        session,
        run.workspace_id,
        run_id=run.id,
        task_key=f"{task_key}:health:{rule}"[-500:],
        subject=f"{job}: {body['message']}"[:200],
        body=f"Run {run.id}. {_DONE[body['on_breach']]}",
        severity="warning" if body["on_breach"] == "notify" else "error",
    )
    key = f"{repair}:{rule}:{task_key}"
    place = _PLACE | (crc32(key.encode()) & (_PLACE - 1))
    event = {"run_id": run.id, "n": place, "kind": runs.BREACH, "body": {**body, "repair": repair}}
    runs.add_events(session, [event])


def told(session: Session, run_id: str, repair: int) -> set[str]:
    """Return the rules whose breach is told of this execution of the run."""
    bodies = session.scalars(
        select(RunEvent.body).where(RunEvent.run_id == run_id, RunEvent.kind == runs.BREACH)
    )
    return {body["rule"] for body in bodies if body.get("repair", 0) == repair}
