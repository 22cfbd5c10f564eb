from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Identified, Table


class Source(Identified, Table):
    """A place where data is; credentials only by reference."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(30))
    location: Mapped[str] = mapped_column(String(2000))
    """A URL without password, or a path."""
    credential: Mapped[str | None] = mapped_column(String(500))
    """`env:NAME`, `file:PATH` or `secret:NAME`."""
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(20), default="registered")
    state_reason: Mapped[str | None] = mapped_column(String(2000))
    health: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the last test measured: `ok`, `detail`, `seconds`, `checked_at`, `steps`."""
    updated_at: Mapped[datetime]
