"""Queries over notifications."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.notifications import Notification
from racine.ids import new_id


def leave(
    session: Session, workspace_id: str, *, run_id: str, task_key: str, subject: str, body: str,
    severity: str,
) -> str:  # fmt: skip
    """Leave one notification for a run's task, whichever attempt asks; return its id."""
    found = session.scalar(
        select(Notification.id).where(
            Notification.run_id == run_id, Notification.task_key == task_key
        )
    )
    if found is not None:
        return found
    made = Notification(
        id=new_id("ntf"),
        workspace_id=workspace_id,
        run_id=run_id,
        task_key=task_key,
        subject=subject,
        body=body,
        severity=severity,
    )
    session.add(made)
    return made.id
