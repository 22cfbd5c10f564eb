from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table, now


class Workspace(Identified, Table):
    """A place of its own for sources, jobs and people."""

    __tablename__ = "workspaces"

    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000), default="")
    kind: Mapped[str] = mapped_column(String(20), default="team")
    """`personal`, `team` or `enterprise`."""
    environment: Mapped[str] = mapped_column(String(20), default="dev")
    """`dev`, `staging` or `prod`."""
    state: Mapped[str] = mapped_column(String(20), default="active")
    fairness_weight: Mapped[float] = mapped_column(default=1.0)
    """Its share of the workers where several workspaces wait for them, relative to the others'."""
    version: Mapped[int] = mapped_column(default=1)
    """Counts changes, for `If-Match`."""
    created_by: Mapped[str] = mapped_column(Id, default="usr_system")
    updated_at: Mapped[datetime] = mapped_column(default=now)
