"""Pools: what tasks of a workspace share, and the leases that live executions hold on it."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table, now


class Pool(Identified, Table):
    __tablename__ = "pools"
    __table_args__ = (UniqueConstraint("workspace_id", "name"),)

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    name: Mapped[str] = mapped_column(String(100))
    """`source:ID` for what may be done with one source at a time."""
    description: Mapped[str] = mapped_column(String(400), default="")
    slots: Mapped[int | None]
    """None: any number at once."""
    tokens_per_second: Mapped[float | None] = mapped_column(Float)
    """How many leases may begin in a second; None: any number."""
    next_token_at: Mapped[datetime | None]
    """When the next token would be there if nobody had saved any up."""
    turn: Mapped[int] = mapped_column(default=0)
    """The highest turn that was granted: where a job that comes anew lines up."""
    updated_at: Mapped[datetime] = mapped_column(default=now)


class PoolLease(Identified, Table):
    """Slots that one try of a task holds, or waits for."""

    __tablename__ = "pool_leases"
    __table_args__ = (
        UniqueConstraint("run_id", "task_key", "try_number", "pool_id"),
        Index(None, "pool_id", "state", "priority", "turn"),
        Index(None, "workflow_id"),
    )

    pool_id: Mapped[str] = mapped_column(ForeignKey("pools.id", ondelete="CASCADE"))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    job_id: Mapped[str] = mapped_column(Id)
    workflow_id: Mapped[str] = mapped_column(String(300))
    """The execution that holds it, and that is told when its turn has come."""
    task_key: Mapped[str] = mapped_column(String(500))
    try_number: Mapped[int]
    slots: Mapped[int]
    priority: Mapped[int]
    turn: Mapped[int]
    """Jobs take turns: each lease of a job lines up one turn after the last of that job."""
    state: Mapped[str] = mapped_column(String(20))
    starts_at: Mapped[datetime | None]
    """When it was granted, or later where its token comes later."""
    told: Mapped[bool] = mapped_column(default=False)
    """Whether the execution that waited knows that it holds the slots."""
