"""The code of jobs, by the hash of its content."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table, now


class Bundle(Identified, Table):
    __tablename__ = "bundles"
    __table_args__ = (UniqueConstraint("workspace_id", "digest"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the content, in hexadecimal."""
    size: Mapped[int]
    files: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_by: Mapped[str] = mapped_column(Id)
    used_at: Mapped[datetime] = mapped_column(default=now, index=True)
    """When it was last uploaded, or named by a version that was saved."""
