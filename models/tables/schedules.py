"""Schedules as they are wished for; Temporal's own schedules are brought in line with them."""

from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Schedule(Identified, Table):
    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("workspace_id", "name"), Index(None, "job_id"))

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    cron: Mapped[str] = mapped_column(String(200))
    time_zone: Mapped[str] = mapped_column(String(100))
    overlap: Mapped[str] = mapped_column(String(20))
    catchup_window_seconds: Mapped[int]
    jitter_seconds: Mapped[int]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    paused: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str] = mapped_column(String(400), default="")
    """Why it is paused, as the one who paused it said."""
    actor: Mapped[str] = mapped_column(Id)
    """Whose rights its runs have: the one who last changed it."""
    deleted: Mapped[bool] = mapped_column(default=False)
    """The wish that it be gone; the row goes once Temporal's schedule has."""
    generation: Mapped[int] = mapped_column(default=1)
    applied: Mapped[int] = mapped_column(default=0)
    """The generation that Temporal has; the reconciler acts on those that differ."""
