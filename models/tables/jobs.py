"""Jobs and their immutable versions."""

from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table


class Job(Identified, Table):
    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[int]
    archived: Mapped[bool] = mapped_column(default=False)


class JobVersion(Identified, Table):
    __tablename__ = "job_versions"
    __table_args__ = (UniqueConstraint("job_id", "number"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    number: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]]
    created_by: Mapped[str] = mapped_column(Id)
    bundle: Mapped[str | None] = mapped_column(String(64), index=True)
    """Digest of the code that its Python tasks run."""
