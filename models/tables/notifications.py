from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table, now


class Notification(Identified, Table):
    """One message in a workspace's inbox; a run's task leaves at most one."""

    __tablename__ = "notifications"
    __table_args__ = (UniqueConstraint("run_id", "task_key"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    run_id: Mapped[str | None] = mapped_column(Id)
    task_key: Mapped[str] = mapped_column(String(160), default="")
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(String(4000), default="")
    severity: Mapped[str] = mapped_column(String(20), default="info")


class NotificationRead(Table):
    """That one person has read one notification."""

    __tablename__ = "notification_reads"

    notification_id: Mapped[str] = mapped_column(
        ForeignKey("notifications.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(Id, primary_key=True)
    read_at: Mapped[datetime] = mapped_column(default=now)
