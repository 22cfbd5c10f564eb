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


UNDONE = "undone"
"""Reason of a task that had succeeded and was undone."""

ATTEMPTS_PER_TRY = 1000
"""An event's attempt is `1000 * (try - 1) + attempt`: a later try, which an order or a repair
began, never hides an earlier one."""

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


def view_of(result: TaskResult, fields: list[str] | None) -> dict[str, Any]:
    """Return a task as expressions see it, with all of its values or those named alone.

    It has `ref` where the rest of what is asked for lies in that blob.
    """
    known = result.values or {}
    values = known if fields is None else {name: known[name] for name in fields if name in known}
    seen: dict[str, Any] = {"values": values, "state": result.state.value}
    if result.outcome is not None:
        seen["outcome"] = result.outcome
    if result.error is not None:
        seen["error"] = result.error
    if result.ref is not None and (fields is None or len(values) < len(fields)):
        seen["ref"] = result.ref
    return seen
