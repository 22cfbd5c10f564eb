"""What a run looked like, task by task, in one row: made once it has ended."""

from typing import Any

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.tables.base import Id, Table


class RunSummary(Table):
    __tablename__ = "run_summaries"

    run_id: Mapped[str] = mapped_column(
        Id, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True
    )
    states: Mapped[str] = mapped_column(Text)
    """One letter for each task of the run's version, in the document's order."""
    starts: Mapped[list[Any]]
    """Milliseconds from the run's first event to each task's first start; null without one."""
    durations: Mapped[list[Any]]
    attempts: Mapped[list[Any]]
    failures: Mapped[list[Any]]
    """Task, code, message and fingerprint of each task that failed in the end."""
