"""The index of runs and the append-only log of what happened in them; Temporal holds the truth."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Identified, Table, now


class Run(Identified, Table):
    __tablename__ = "runs"
    __table_args__ = (
        Index(None, "workspace_id", "created_at"),
        Index(None, "job_id", "created_at"),
        Index(None, "state"),
        Index(None, "job_id", "state"),
        Index(None, "parent_run_id", "parent_task_key", "parent_try", unique=True),
    )

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"))
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    job_version: Mapped[int]
    workflow_id: Mapped[str] = mapped_column(String(200), unique=True)
    actor: Mapped[str] = mapped_column(Id)
    trigger: Mapped[str] = mapped_column(String(40), default="manual")
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(20))
    started: Mapped[bool] = mapped_column(default=False)
    """Whether Temporal has taken the start; the sweeper starts those that it has not."""
    limited: Mapped[bool] = mapped_column(default=False)
    """Whether its job limits how many runs go on at once: then its end lets others begin."""
    concurrency_key: Mapped[str | None] = mapped_column(String(200))
    priority: Mapped[int] = mapped_column(default=3)
    queue_deadline: Mapped[datetime | None]
    """Until when it may wait for its turn."""
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outputs: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[dict[str, Any] | None]
    schedule_id: Mapped[str | None] = mapped_column(Id)
    scheduled_for: Mapped[datetime | None]
    """The moment that the schedule meant; the run itself may begin later."""
    fired_by: Mapped[str | None] = mapped_column(String(300), unique=True)
    """Workflow and execution, `ID/RUN`, that was started to start this run: one for each firing."""
    parent_run_id: Mapped[str | None] = mapped_column(Id)
    """Run whose task started this one: one run for each try of a task."""
    parent_task_key: Mapped[str | None] = mapped_column(String(500))
    parent_try: Mapped[int | None]
    repair: Mapped[int] = mapped_column(default=0)
    """Which execution of its workflow the row tells of: 0, then one more with every repair."""
    repaired_at: Mapped[datetime | None]
    """When the latest repair was recorded."""
    repairs: Mapped[list[Any]] = mapped_column(default=list)
    """Who repaired it, when, what and why; oldest first."""


class KeptResults(Table):
    """How tasks of one execution of a run ended: what a repair keeps. Rows add up, newest wins."""

    __tablename__ = "run_results"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    repair: Mapped[int] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(String(500), primary_key=True)
    """A number, or the stretch of a loop whose workflow wrote it."""
    content: Mapped[bytes] = mapped_column(LargeBinary)
    """JSON of `Kept`, compressed by zlib."""


class RunControl(Identified, Table):
    """An order to a run, kept until the run has answered: none is lost, none given twice."""

    __tablename__ = "run_controls"
    __table_args__ = (UniqueConstraint("run_id", "request_id"), Index(None, "state"))

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    request_id: Mapped[str] = mapped_column(String(100))
    """Also the id of the Update in Temporal, which answers a repeated one with its first result."""
    action: Mapped[str] = mapped_column(String(40))
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    actor: Mapped[str] = mapped_column(Id)
    state: Mapped[str] = mapped_column(String(20))
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)


class RunEvent(Table):
    __tablename__ = "run_events"
    __table_args__ = (
        UniqueConstraint("run_id", "task_key", "attempt", "n"),
        Index(None, "run_id", "id"),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    task_key: Mapped[str] = mapped_column(String(500), default="")
    """With the loops around it: `per_table[3].clean`."""
    attempt: Mapped[int] = mapped_column(default=0)
    n: Mapped[int]
    """Place among the events of one attempt, so that writing a batch again changes nothing."""
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
