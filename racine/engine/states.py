"""The states of runs and tasks, and how a task ended."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    QUEUED = "queued"
    """Its job has as many runs as it may have at once: it starts when one of them ends."""
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"


class TaskState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Its `run_if` was not met, or a person skipped it."""
    EXCLUDED = "excluded"
    """It stands on the branch that a condition did not take, or it is disabled."""
    CANCELLED = "cancelled"


FINAL_RUN_STATES = frozenset(
    {
        RunState.COMPLETED,
        RunState.FAILED,
        RunState.CANCELLED,
        RunState.TERMINATED,
        RunState.TIMED_OUT,
    }
)


@dataclass(frozen=True)
class TaskResult:
    """How a task ended: `values` is what others may refer to, `outcome` a condition's branch."""

    state: TaskState
    values: dict[str, Any] | None = None
    outcome: str | None = None
    error: dict[str, Any] | None = None
    ref: str | None = None
    """Blob that holds the whole output when it is too large to travel."""
    reason: str | None = None
    """Why it did not run: `branch`, `condition`, `disabled`, `fail_fast`, `run_if`."""
