"""Queries over orders to runs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.tables.runs import RunControl as RunControl
from racine.ids import new_id

PENDING, APPLIED, REFUSED = "pending", "applied", "refused"


def record(
    session: Session,
    run_id: str,
    request_id: str,
    action: str,
    arguments: dict[str, Any],
    actor: str,
) -> tuple[RunControl, bool]:
    """Return the order of that request id, made now or before, and whether it was made now."""
    found = session.scalar(
        select(RunControl).where(RunControl.run_id == run_id, RunControl.request_id == request_id)
    )
    if found is not None:
        return found, False
    made = RunControl(
        id=new_id("ctl"),
        run_id=run_id,
        request_id=request_id,
        action=action,
        arguments=arguments,
        actor=actor,
        state=PENDING,
    )
    session.add(made)
    session.flush()
    return made, True


def settle(session: Session, control_id: str, state: str, answer: dict[str, Any]) -> None:
    """Write what the run answered."""
    session.execute(
        update(RunControl)
        .where(RunControl.id == control_id, RunControl.state == PENDING)
        .values(state=state, answer=answer)
    )


def pending(session: Session, limit: int = 50) -> Sequence[RunControl]:
    """Return orders that no run has answered, oldest first."""
    query = select(RunControl).where(RunControl.state == PENDING)
    return session.scalars(query.order_by(RunControl.created_at).limit(limit)).all()


def approvals(session: Session, run_id: str, task_key: str) -> Sequence[RunControl]:
    """Return the approvals of a run's task that the run has not refused, oldest first."""
    query = select(RunControl).where(
        RunControl.run_id == run_id, RunControl.action == "approve", RunControl.state != REFUSED
    )
    found = session.scalars(query.order_by(RunControl.created_at, RunControl.id))
    return [order for order in found if order.arguments.get("task_key") == task_key]
