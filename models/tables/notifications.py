from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Notification(Identified, Table):
    __tablename__ = "notifications"
    __table_args__ = (UniqueConstraint("run_id", "task_key"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    run_id: Mapped[str | None] = mapped_column(Id)
    task_key: Mapped[str] = mapped_column(String(160), default="")
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(String(4000), default="")
    severity: Mapped[str] = mapped_column(String(20), default="info")
