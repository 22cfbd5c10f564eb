"""Tasks that run other jobs: recorded first, then started, waited for or let go."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    WorkflowAlreadyStartedError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, LEAVE_QUEUE, LOOK_AT_RUN, OWN, RECORD_CHILD_RUN
    from models.messages import ChildRunCall, ChildRunLaunch, Left, RunLook, RunResult
    from models.temporal import ACTOR, JOB, STATE, TRIGGER, WORKSPACE
    from racine.definitions.schemas import mismatches
    from racine.engine.plan import Step
    from racine.engine.scheduler import ORDERED, heed, ordered
    from racine.engine.states import RunState, TaskResult, TaskState
    from workflows.kinds.waits import moment_of, passed

if TYPE_CHECKING:
    from workflows.steps import Level

Handle = workflow.ChildWorkflowHandle[Any, RunResult]

_SECONDS = timedelta(seconds=60)
_LONGEST_PAUSE = 30.0


async def run_job(level: "Level", step: Step) -> TaskResult | None:
    path, flow = level.path(step), level.flow
    left, handle = flow.recall(path), None
    limit = moment_of(step.schedule_to_close_seconds, left)
    if left is None:
        with flow.working():
            launch = await _record(level, step)
            if step.spec["wait"] and not launch.queued:
                handle = await _start(level, launch)
        child = launch.model_dump(mode="json", exclude={"input"})
    else:
        child = left.state["child"]
    if not step.spec["wait"]:
        return level.told(step, TaskResult(TaskState.SUCCEEDED, {"run_id": child["run_id"]}))
    result = await _ended(level, child, handle, limit)
    if result is None:
        until = limit.isoformat() if limit else None
        flow.left[path] = Left(state={"child": child, "until": until})
        return None
    return level.told(step, _concluded(step, child, result))


async def _record(level: "Level", step: Step) -> ChildRunLaunch:
    path = level.path(step)
    spec = step.spec
    number = level.flow.begin(path)
    call = ChildRunCall(
        context=level.scope.context,
        task_key=path,
        try_number=number,
        job=spec["job"],
        version=spec["version"],
        job_parameters=spec["job_parameters"],
        names=level.names_of(step) if step.templated else None,
        wait=spec["wait"],
        transitions=level.flow.take(),
    )
    launch: ChildRunLaunch = await workflow.execute_activity(
        RECORD_CHILD_RUN,
        call,
        activity_id=f"{OWN}run:{path}#{number}",
        task_queue=ACTIVITY_QUEUE,
        result_type=ChildRunLaunch,
        start_to_close_timeout=_SECONDS,
        # A run that is recorded is started by somebody: better this task, which can end it.
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    level.flow.note(path, "started", {"run_id": launch.run_id, "job": launch.job}, n=0)
    if launch.queued:
        level.flow.tell_soon()
    return launch


async def _start(level: "Level", launch: ChildRunLaunch) -> Handle | None:
    """Start the recorded run; None when the sweeper was quicker."""
    context = launch.input.context
    pairs = {WORKSPACE: context.workspace_id, JOB: launch.job, TRIGGER: "run_job",
             ACTOR: context.actor, STATE: RunState.RUNNING.value}  # fmt: skip
    try:
        handle: Handle = await workflow.start_child_workflow(
            "RacineJob",
            launch.input,
            id=launch.workflow_id,
            result_type=RunResult,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            # Continuing as new closes this workflow too, and must not end the run.
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            static_summary=f"{launch.job} · {launch.run_id}",
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(SearchAttributeKey.for_keyword(name), value)
                    for name, value in pairs.items()
                ]
            ),
        )
    except WorkflowAlreadyStartedError:
        return None
    await level.flow.flush(began=launch.run_id)
    return handle


async def _ended(
    level: "Level", child: dict[str, Any], handle: Handle | None, limit: datetime | None
) -> RunResult | None:
    """Wait for a run to end; None when this one drains. An order to end goes on to the run."""
    try:
        heed()
        if handle is None:
            result = await _polled(level, child, limit)
        elif await passed(level.flow, limit, handle.done):
            result = await _result(handle) if handle.done() else None
        else:
            raise TimeoutError
    except TimeoutError:
        await _cancel(level, child, handle)
        error = {"message": "It took longer than schedule_to_close_timeout_seconds."}
        return RunResult(state=RunState.TIMED_OUT, error=error)
    except ActivityError as failure:
        if not is_cancelled_exception(failure):
            raise
        await _cancel(level, child, handle)
        raise asyncio.CancelledError(ORDERED) from failure
    except asyncio.CancelledError as fault:
        if ordered(fault):
            await _cancel(level, child, handle)
        raise
    return result


async def _polled(
    level: "Level", child: dict[str, Any], limit: datetime | None
) -> RunResult | None:
    """Ask the index for the end of a run that is no child of this history."""
    pause = 1.0
    while True:
        with level.flow.working():
            found: RunResult | None = await workflow.execute_activity(
                LOOK_AT_RUN,
                RunLook(run_id=child["run_id"]),
                activity_id=f"{OWN}look:{child['run_id']}",
                task_queue=ACTIVITY_QUEUE,
                result_type=RunResult | None,  # type: ignore[arg-type]
                start_to_close_timeout=_SECONDS,
            )
        if found is not None:
            return found
        next_look = workflow.now() + timedelta(seconds=pause)
        if await passed(level.flow, min(next_look, limit or next_look), lambda: False):
            return None
        if limit is not None and workflow.now() >= limit:
            raise TimeoutError
        pause = min(_LONGEST_PAUSE, pause * 2)


async def _result(handle: Handle) -> RunResult:
    try:
        return await handle
    except ChildWorkflowError as failure:
        cause = failure.cause
    if isinstance(cause, ApplicationError) and cause.details:
        return RunResult.model_validate(cause.details[0])
    states = {CancelledError: RunState.CANCELLED, TerminatedError: RunState.TERMINATED}
    state = states.get(type(cause), RunState.FAILED)
    return RunResult(state=state, error={"message": str(cause)})


async def _cancel(level: "Level", child: dict[str, Any], handle: Handle | None) -> None:
    """Have the run end, and wait until it has if it is a child of this history."""
    if handle is not None:
        handle.cancel()
        await _result(handle)
        return
    left: bool = await workflow.execute_activity(
        LEAVE_QUEUE,
        RunLook(run_id=child["run_id"]),
        activity_id=f"{OWN}leave:{child['run_id']}",
        task_queue=ACTIVITY_QUEUE,
        result_type=bool,
        start_to_close_timeout=_SECONDS,
    )
    if not left:
        try:
            await workflow.get_external_workflow_handle(child["workflow_id"]).cancel()
        except ApplicationError:
            return  # it has ended


def _concluded(step: Step, child: dict[str, Any], result: RunResult) -> TaskResult:
    run_id, outputs = child["run_id"], result.outputs
    if result.state != RunState.COMPLETED:
        reason = (result.error or {}).get("message", "")
        message = f"Run {run_id} of {child['job']} is {result.state}. {reason}".strip()
        error = {"code": f"run_{result.state}", "message": message, "run_id": run_id}
        return TaskResult(TaskState.FAILED, {"run_id": run_id}, error=error)
    ref = outputs["ref"] if set(outputs) == {"ref"} else None
    values = {"run_id": run_id, **({} if ref else outputs)}
    faults = mismatches(step.outputs, values, masked=True) if step.outputs else []
    if faults:
        message = f"The outputs of run {run_id} do not fit: {faults[0].pointer or '/'}."
        error = {"code": "contract_broken", "message": message}
        return TaskResult(TaskState.FAILED, values, error=error, ref=ref)
    return TaskResult(TaskState.SUCCEEDED, values, ref=ref)
