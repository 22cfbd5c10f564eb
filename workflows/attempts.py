"""Carries out a task by an activity, whatever the activity does."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutError,
    TimeoutType,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.names import HEARTBEAT_TIMEOUT_SECONDS, queue_named
    from models.messages import TaskCall, TaskOutput
    from racine.engine.plan import Step
    from racine.engine.scheduler import ORDERED
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import RacineError
    from workflows.slots import needs_slots, with_slots

if TYPE_CHECKING:
    from workflows.steps import Level


def call_of(level: "Level", step: Step, given: dict[str, Any]) -> dict[str, Any]:
    """Begin a try of a task and return the fields of its `TaskCall`."""
    path = level.path(step)
    return {
        "context": level.scope.context,
        "task_key": path,
        "try_number": level.flow.begin(path),
        "input": given,
        "names": level.names_of(step) if step.templated else None,
        "outputs": step.outputs,
    }


async def attempt(level: "Level", step: Step, name: str, call: TaskCall) -> TaskResult:
    """Run the activity of that name, one of so many at a time, and return how the task ended."""
    with level.flow.working():
        if needs_slots(level, step):
            return await with_slots(level, step, call, lambda: _gated(level, step, name, call))
        return await _gated(level, step, name, call)


async def _gated(level: "Level", step: Step, name: str, call: TaskCall) -> TaskResult:
    async with level.flow.gate:
        return await _open(level, step, name, call)


async def _open(level: "Level", step: Step, name: str, call: TaskCall) -> TaskResult:
    try:
        output = await workflow.execute_activity(
            name,
            call.model_copy(update={"transitions": level.flow.take()}),
            activity_id=_activity_id(call),
            task_queue=queue_named(step.queue),
            result_type=TaskOutput,
            start_to_close_timeout=timedelta(seconds=step.start_to_close_seconds),
            heartbeat_timeout=timedelta(
                seconds=step.heartbeat_seconds or HEARTBEAT_TIMEOUT_SECONDS
            ),
            schedule_to_close_timeout=_seconds(step.schedule_to_close_seconds),
            schedule_to_start_timeout=_seconds(step.queue_seconds),
            retry_policy=retry_policy(level, step),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            priority=Priority(
                priority_key=step.priority or level.plan.priority,
                fairness_key=call.context.workspace_id,
                fairness_weight=call.context.weight,
            ),
        )
    except ActivityError as failure:
        return _failed(level, step, failure)
    return TaskResult(TaskState.SUCCEEDED, output.values, ref=output.ref)


def _failed(level: "Level", step: Step, failure: ActivityError) -> TaskResult:
    cancelled = is_cancelled_exception(failure)
    state = TaskState.CANCELLED if cancelled else TaskState.FAILED
    error = None if cancelled else describe(failure, step)
    if error is not None and step.retry_rules:
        cause = failure.cause
        error["retryable"] = not (isinstance(cause, ApplicationError) and cause.non_retryable)
    result = TaskResult(state, error=error)
    if not isinstance(failure.cause, ApplicationError):
        # No attempt lived to say so: it ran out of time, was cancelled or lost its worker.
        level.told(step, result)
    return result


def retry_policy(level: "Level", step: Step) -> RetryPolicy:
    """Return how an activity is tried again: the task's word, or the job's."""
    policy = step.retry_policy or level.plan.retry_policy
    return RetryPolicy(
        maximum_attempts=1 if step.tried_here else policy.maximum_attempts,
        initial_interval=timedelta(seconds=policy.initial_interval_seconds),
        backoff_coefficient=policy.backoff_coefficient,
        maximum_interval=timedelta(seconds=policy.maximum_interval_seconds),
        non_retryable_error_types=policy.non_retryable_error_types,
    )


_Told = tuple[str, str, str]

_LATE: dict[TimeoutType, Callable[[Step], _Told]] = {
    TimeoutType.SCHEDULE_TO_START: lambda step: (
        "queue_timeout",
        f"No worker of the queue {step.queue or 'for all tasks'} took it within"
        f" {step.queue_seconds or step.schedule_to_close_seconds or 0:g} s.",
        "Start a worker for the queue, or raise queue_timeout_seconds.",
    ),
    TimeoutType.START_TO_CLOSE: lambda step: (
        "timeout",
        f"An attempt took longer than {step.start_to_close_seconds:g} s.",
        "Raise start_to_close_timeout_seconds, or do less in one task.",
    ),
    TimeoutType.SCHEDULE_TO_CLOSE: lambda step: (
        "timeout",
        f"With all its attempts it took longer than {step.schedule_to_close_seconds or 0:g} s.",
        "Raise schedule_to_close_timeout_seconds, or allow fewer attempts.",
    ),
    TimeoutType.HEARTBEAT: lambda step: (
        "worker_lost",
        f"Its worker said nothing for {step.heartbeat_seconds or HEARTBEAT_TIMEOUT_SECONDS:g} s.",
        "See whether the worker was killed; raise heartbeat_timeout_seconds if it was busy.",
    ),
}


def _activity_id(call: TaskCall) -> str:
    return call.task_key if call.try_number == 1 else f"{call.task_key}#{call.try_number}"


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def failed(fault: RacineError | ActivityError) -> TaskResult:
    """Return how a task ended whose work could not even begin, or not be told.

    Raises an order to end where an activity heard of one.
    """
    if isinstance(fault, RacineError):
        error: dict[str, Any] = {"code": fault.code, "message": fault.message}
        return TaskResult(TaskState.FAILED, error={**error, "next_step": fault.next_step})
    if is_cancelled_exception(fault):
        raise asyncio.CancelledError(ORDERED) from fault
    return TaskResult(TaskState.FAILED, error=describe(fault))


def describe(failure: ActivityError, step: Step | None = None) -> dict[str, Any]:
    """Return what went wrong in an activity as a task's error."""
    cause = failure.cause
    if isinstance(cause, TimeoutError) and step is not None and cause.type in _LATE:
        code, message, next_step = _LATE[cause.type](step)
        return {"code": code, "message": message, "next_step": next_step}
    if isinstance(cause, ApplicationError):
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return {"code": cause.type or "error", "message": cause.message, **details}
    code = type(cause).__name__ if cause else "error"
    return {"code": code, "message": str(cause) if cause else str(failure)}
