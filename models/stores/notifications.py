"""Queries over notifications."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.notifications import Notification as Notification
from models.tables.notifications import NotificationRead
from racine.errors import NotFound
from racine.ids import new_id


def leave(
    session: Session, workspace_id: str, *, run_id: str, task_key: str, subject: str, body: str,
    severity: str,
) -> str:  # fmt: skip
    """Leave one notification for a run's task, whichever attempt asks; return its id."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    made = insert(Notification).values(
        id=new_id("ntf"),
        created_at=datetime.now(UTC),
        workspace_id=workspace_id,
        run_id=run_id,
        task_key=task_key,
        subject=subject,
        body=body,
        severity=severity,
    )
    session.execute(made.on_conflict_do_nothing())
    left = session.scalars(
        select(Notification.id).where(
            Notification.run_id == run_id, Notification.task_key == task_key
        )
    )
    return left.one()


def inbox(workspace_id: str, user_id: str, *, unread: bool = False) -> Select[Notification]:
    """Return the query of a workspace's notifications, of those the user has not read if asked."""
    query = select(Notification).where(Notification.workspace_id == workspace_id)
    if unread:
        read = select(NotificationRead.notification_id).where(NotificationRead.user_id == user_id)
        query = query.where(Notification.id.not_in(read))
    return query


def read_by(session: Session, user_id: str, ids: Sequence[str]) -> set[str]:
    rows = select(NotificationRead.notification_id).where(
        NotificationRead.user_id == user_id, NotificationRead.notification_id.in_(ids)
    )
    return set(session.scalars(rows))


def mark_read(session: Session, notification: Notification, user_id: str) -> None:
    if session.get(NotificationRead, (notification.id, user_id)) is None:
        session.add(NotificationRead(notification_id=notification.id, user_id=user_id))
        session.flush()


def get(session: Session, notification_id: str) -> Notification:
    found = session.get(Notification, notification_id)
    if found is None:
        raise NotFound(f"There is no notification {notification_id!r}.")
    return found
