"""Holds slots of pools while a task runs: acquired before its activity, given back after it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from activities.names import ACQUIRE, ACTIVITY_QUEUE, OWN, RELEASE
    from models.messages import AcquireCall, Acquired, ReleaseCall, TaskCall
    from racine.engine.plan import Step
    from racine.engine.scheduler import heed
    from racine.engine.states import TaskResult
    from racine.errors import InvalidInput

if TYPE_CHECKING:
    from workflows.steps import Level

_SECONDS = timedelta(seconds=60)


def needs_slots(level: "Level", step: Step) -> bool:
    """Tell whether a task may have to wait for others: most never do, and pay nothing."""
    return step.pool is not None or (step.opens_source and level.scope.context.limits_sources)


async def with_slots(
    level: "Level", step: Step, call: TaskCall, work: Callable[[], Awaitable[TaskResult]]
) -> TaskResult:
    """Wait for all slots that a try of a task needs, and hold them until its work ends."""
    try:
        await _acquire_all(level, step, call)
        while level.flow.paused:
            # A paused run holds nothing that others could use.
            await _release(call)
            await level.flow.resumed()
            await _acquire_all(level, step, call)
        result = await work()
    except (Exception, asyncio.CancelledError):
        # No `finally`: that would also run where a dropped workflow's coroutines are thrown away.
        await _release(call)
        raise
    await _release(call)
    return result


async def _acquire_all(level: "Level", step: Step, call: TaskCall) -> None:
    # The pool before the source, always: two tasks can then never wait for each other.
    if step.pool is not None:
        await _acquire(level, step, call, step.pool)
    if step.opens_source and level.scope.context.limits_sources:
        await _acquire(level, step, call, None)


async def _acquire(level: "Level", step: Step, call: TaskCall, pool: str | None) -> None:
    asked = AcquireCall(
        context=call.context,
        task_key=call.task_key,
        try_number=call.try_number,
        pool=pool,
        slots=step.pool_slots if pool else 1,
        priority=level.plan.priority,
        input={} if pool else call.input,
        names=None if pool else call.names,
    )
    lease = (await _ask(asked)).lease
    heed()
    if lease is None:
        return
    if lease.starts_at is None:
        lease = await level.flow.lease(lease.lease_id)
    level.flow.leases.pop(lease.lease_id, None)
    await _until(lease.starts_at)


async def _ask(call: AcquireCall) -> Acquired:
    kind = "pool" if call.pool else "source"
    try:
        found: Acquired = await workflow.execute_activity(
            ACQUIRE, call, activity_id=f"{OWN}acquire:{call.task_key}#{call.try_number}:{kind}",
            task_queue=ACTIVITY_QUEUE, result_type=Acquired, start_to_close_timeout=_SECONDS,
            # To its end even when cancelled: what it acquires after the release would be lost.
            cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )  # fmt: skip
    except ActivityError as failure:
        cause = failure.cause
        if isinstance(cause, ApplicationError):
            raise InvalidInput(cause.message) from failure
        raise
    return found


async def _release(call: TaskCall) -> None:
    given = ReleaseCall(context=call.context, task_key=call.task_key, try_number=call.try_number)
    await workflow.execute_activity(
        RELEASE, given, activity_id=f"{OWN}release:{call.task_key}#{call.try_number}",
        task_queue=ACTIVITY_QUEUE, start_to_close_timeout=_SECONDS,
        cancellation_type=ActivityCancellationType.ABANDON,
    )  # fmt: skip


async def _until(moment: datetime | None) -> None:
    if moment is not None and (seconds := (moment - workflow.now()).total_seconds()) > 0:
        await workflow.sleep(seconds)
