"""The inbox of a workspace, with what each person has read."""

from sqlalchemy.orm import Session

from models.stores import notifications
from models.stores.notifications import Notification as Notification
from models.stores.paging import Page, page
from services import access, audit
from services.access import Actor


def inbox(
    session: Session, actor: Actor, *, unread: bool = False, limit: int = 50,
    cursor: str | None = None,
) -> tuple[Page[Notification], set[str]]:  # fmt: skip
    """Return a page of notifications, newest first, and the ids of those the actor has read."""
    access.require(session, actor, "workspaces:read")
    query = notifications.inbox(actor.workspace_id, actor.id, unread=unread)
    found = page(session, query, Notification, limit=limit, cursor=cursor)
    return found, notifications.read_by(session, actor.id, [item.id for item in found.items])


def mark_read(session: Session, actor: Actor, notification_id: str) -> None:
    """Note that the actor has read a notification; again changes nothing."""
    access.require(session, actor, "workspaces:read")
    found = notifications.get(session, notification_id)
    access.same_workspace(actor, found.workspace_id, f"notification {notification_id!r}")
    notifications.mark_read(session, found, actor.id)
    audit.record(session, actor, "notification.read", found.id)
