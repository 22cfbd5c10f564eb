"""How a run stands, as Temporal tells it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.names import OWN
from models.messages import RunResult
from models.stores.runs import Run as Run
from racine.engine.states import FINAL_RUN_STATES, RunState
from services.outages import outage

_DEADLINE = timedelta(seconds=5)
_MOST_PENDING = 1000

_ENDS = {
    WorkflowExecutionStatus.FAILED: RunState.FAILED,
    WorkflowExecutionStatus.CANCELED: RunState.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: RunState.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: RunState.TIMED_OUT,
}


@dataclass(frozen=True)
class PendingTask:
    """An activity that Temporal holds for a run at this moment."""

    task_key: str
    operation: str
    state: str
    """`running`, or `queued` while no worker has taken it or a retry waits."""
    attempt: int
    last_error: str = ""
    next_attempt_at: datetime | None = None
    attempts_allowed: int = 0
    """0: any number."""
    task_queue: str = ""
    queued_at: datetime | None = None
    """Since when it waits for a worker."""


@dataclass(frozen=True)
class Status:
    state: str
    outputs: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    pending: list[PendingTask] = field(default_factory=list)


def settled(run: Run) -> Status | None:
    """Return how a run stands that Temporal has no more to say of, None for any other.

    An end never changes, and of a queued run Temporal knows nothing: the index will do.
    """
    known = run.state in FINAL_RUN_STATES or run.state == RunState.QUEUED
    return Status(run.state, run.outputs, run.error) if known else None


async def status(client: Client, run: Run) -> Status:
    """Return an open run's state as Temporal has it; raises Unavailable when it does not answer."""
    if run.repair and not run.started:
        # Temporal knows only the execution before.
        return Status(run.state)
    handle = client.get_workflow_handle(run.workflow_id)
    try:
        found = await handle.describe(rpc_timeout=_DEADLINE)
    except RPCError as fault:
        if fault.status is RPCStatusCode.NOT_FOUND and not run.started:
            return Status(RunState.SCHEDULED)
        raise outage(fault) from fault
    if found.status is WorkflowExecutionStatus.RUNNING:
        state = RunState.PAUSED if run.state == RunState.PAUSED else RunState.RUNNING
        return Status(state, pending=_pending(found))
    return await ended(client, found)


async def ended(client: Client, found: WorkflowExecution) -> Status:
    """Return how a closed workflow ended, by its own word where it gave one."""
    handle = client.get_workflow_handle(found.id, result_type=RunResult)
    end = _ENDS.get(found.status) if found.status else None
    if end in (RunState.TERMINATED, RunState.TIMED_OUT):
        how = "terminated" if end is RunState.TERMINATED else "out of time"
        return Status(end, error={"code": end.value, "message": f"Temporal ended the run: {how}."})
    try:
        result = await handle.result(rpc_timeout=_DEADLINE)
    except WorkflowFailureError as failure:
        return _told(failure) or Status(end or RunState.FAILED, error=_describe(failure))
    except RPCError as fault:
        raise outage(fault) from fault
    return Status(result.state, result.outputs, result.error)


def _told(failure: WorkflowFailureError) -> Status | None:
    """Return the result that the interpreter puts into its own failure."""
    cause = failure.cause
    if not isinstance(cause, ApplicationError) or not cause.details:
        return None
    try:
        result = RunResult.model_validate(cause.details[0])
    except ValidationError:
        return None
    return Status(result.state, result.outputs, result.error)


def _describe(failure: WorkflowFailureError) -> dict[str, Any]:
    cause = failure.cause
    code = getattr(cause, "type", None) or type(cause).__name__
    return {"code": code, "message": str(getattr(cause, "message", cause))}


def _pending(found: WorkflowExecutionDescription) -> list[PendingTask]:
    return [
        _task(info)
        for info in found.raw_description.pending_activities
        if not info.activity_id.startswith(OWN)
    ]


def _task(info: PendingActivityInfo) -> PendingTask:
    started = info.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    retry_at = info.next_attempt_schedule_time.ToDatetime(tzinfo=UTC)
    return PendingTask(
        task_key=info.activity_id.partition("#")[0],
        operation=info.activity_type.name,
        state="running" if started else "queued",
        attempt=info.attempt,
        last_error=info.last_failure.message if info.HasField("last_failure") else "",
        next_attempt_at=retry_at if info.HasField("next_attempt_schedule_time") else None,
        attempts_allowed=info.maximum_attempts,
        task_queue=info.activity_options.task_queue.name,
        queued_at=_queued_at(info),
    )


def _queued_at(info: PendingActivityInfo) -> datetime | None:
    if info.state != PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED:
        return None
    # Of a retry, when the wait for it ends: only then does it wait for a worker.
    return info.scheduled_time.ToDatetime(tzinfo=UTC)


async def pending_everywhere(client: Client, run: Run) -> list[PendingTask]:
    """Return the activities that Temporal holds for a run and for the workflows of its loops."""
    found, workflow_ids = list[PendingTask](), [run.workflow_id]
    while workflow_ids and len(found) < _MOST_PENDING:
        try:
            here = client.get_workflow_handle(workflow_ids.pop(0))
            described = await here.describe(rpc_timeout=_DEADLINE)
        except RPCError as fault:
            if fault.status is RPCStatusCode.NOT_FOUND:
                continue
            raise outage(fault) from fault
        found += _pending(described)
        workflow_ids += [
            child.workflow_id
            for child in described.raw_description.pending_children
            if child.workflow_type_name == "RacineLoop"
        ]
    return found
