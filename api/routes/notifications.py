"""The inbox of the workspace."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, ConfigDict

from api.deps import Me, ReadSession, WriteSession
from services import notifications

router = APIRouter(prefix="/api/racine/notifications", tags=["notifications"])


class NotificationAnswer(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    run_id: str | None
    task_key: str
    subject: str
    body: str
    severity: str
    created_at: datetime
    read: bool = False


class NotificationList(BaseModel):
    items: list[NotificationAnswer]
    next_cursor: str | None


@router.get("", operation_id="list_notifications")
def inbox(
    session: ReadSession,
    me: Me,
    unread: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> NotificationList:
    """List the workspace's notifications, newest first, with what you have read."""
    found, read = notifications.inbox(session, me, unread=unread, limit=limit, cursor=cursor)
    items = [
        NotificationAnswer.model_validate(item).model_copy(update={"read": item.id in read})
        for item in found.items
    ]
    return NotificationList(items=items, next_cursor=found.next_cursor)


@router.post(
    "/{notification_id}/read",
    operation_id="mark_notification_read",
    status_code=status.HTTP_204_NO_CONTENT,
)
def mark_read(notification_id: str, session: WriteSession, me: Me) -> None:
    """Note that you have read a notification."""
    notifications.mark_read(session, me, notification_id)
