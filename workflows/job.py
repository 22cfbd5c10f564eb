"""RacineJob: runs the plan of one job; every effect is an activity, every decision is here."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, FINISH_RUN, OWN
    from models.messages import Carried, ControlCall, FinishCall, JobInput, RunResult
    from models.temporal import STATE
    from racine.engine.policies import root_failures, verdict
    from racine.engine.scheduler import Scheduler
    from racine.engine.states import RunState, TaskResult
    from racine.errors import RacineError
    from workflows.steps import Steps

_STATE = SearchAttributeKey.for_keyword(STATE)
_MAX_EVENTS = 8_000
"""History events at which a run continues as new: Temporal warns at 10,240, kills at 51,200."""
_MAX_BYTES = 8 * 1024 * 1024
"""The same for its size: Temporal warns at 10 MB, kills at 50 MB."""
_FINISH_SECONDS = 60


@workflow.defn(name="RacineJob")
class RacineJob:
    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._given = given
        carried = given.carried
        self._started_at = carried.started_at if carried else workflow.info().start_time
        self._ends_as: RunState | None = None
        """Why the run ends before its plan does."""
        self._closed = False
        self._steps = Steps(given, self._started_at)
        self._scheduler = Scheduler(
            given.plan,
            self._execute,
            self._steps.observe,
            results=_by_place(given),
            paused=carried.paused if carried else False,
        )
        self._steps.results = self._scheduler.results

    @workflow.run
    async def run(self, given: JobInput) -> RunResult:
        if given.carried is None:
            self._show(RunState.RUNNING)
        try:
            await self._drive()
            if not self._scheduler.complete:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._carry())
            self._closed = True
            result = await self._finish()
        except RacineError as fault:
            raise ApplicationError(fault.message, type=fault.code, non_retryable=True) from fault
        await workflow.wait_condition(workflow.all_handlers_finished)
        return _conclude(result)

    @workflow.update
    def pause(self, call: ControlCall) -> dict[str, Any]:
        """Start no further task until resume; those that run go on to their end."""
        self._scheduler.pause()
        self._show(RunState.PAUSED)
        return {"state": RunState.PAUSED}

    @pause.validator
    def _may_pause(self, call: ControlCall) -> None:
        self._require_open("pause")
        if self._scheduler.paused:
            raise _refusal("The run is paused already.")

    @workflow.update
    def resume(self, call: ControlCall) -> dict[str, Any]:
        """Go on starting tasks."""
        self._scheduler.resume()
        self._show(RunState.RUNNING)
        return {"state": RunState.RUNNING}

    @resume.validator
    def _may_resume(self, call: ControlCall) -> None:
        self._require_open("resume")
        if not self._scheduler.paused:
            raise _refusal("The run is not paused.")

    @workflow.update
    def cancel(self, call: ControlCall) -> dict[str, Any]:
        """Cancel what runs, let it clean up, and end."""
        self._stop(RunState.CANCELLED)
        return {"state": RunState.CANCELLED}

    @cancel.validator
    def _may_cancel(self, call: ControlCall) -> None:
        self._require_open("cancel")

    def _require_open(self, verb: str) -> None:
        if self._closed or self._ends_as is not None:
            raise _refusal(f"The run is ending: there is nothing to {verb}.")

    async def _drive(self) -> None:
        """Run the plan until it ends, is stopped, runs out of time or must continue as new."""
        drive = asyncio.create_task(self._scheduler.run())
        if not await _ended(drive, self._seconds_left(), self._on_cancel):
            self._stop(RunState.TIMED_OUT)
            await _ended(drive, None, self._on_cancel)
        await drive

    def _seconds_left(self) -> float | None:
        limit = self._given.plan.timeout_seconds
        if limit is None:
            return None
        return max(0.0, limit - (workflow.now() - self._started_at).total_seconds())

    def _on_cancel(self) -> None:
        self._stop(RunState.CANCELLED)

    def _stop(self, end: RunState) -> None:
        if self._ends_as is None:
            self._ends_as = end
            self._scheduler.stop()

    async def _execute(self, number: int, step: Any) -> TaskResult:
        try:
            result = await self._steps.execute(number, step)
        except RacineError as fault:
            error = {"code": fault.code, "message": fault.message, "next_step": fault.next_step}
            result = self._steps.fail(number, error)
        if _history_is_long():
            self._scheduler.drain()
        return result

    def _carry(self) -> JobInput:
        carried = Carried(
            started_at=self._started_at,
            results=self._steps.still_read(),
            paused=self._scheduler.paused,
            transitions=self._steps.take(),
        )
        return self._given.model_copy(update={"carried": carried})

    async def _finish(self) -> RunResult:
        """Write the run's end into the index; a cancellation meanwhile changes nothing."""
        plan, results = self._given.plan, self._scheduler.results
        state = self._ends_as or verdict(plan.steps, results)
        self._show(state)
        call = FinishCall(
            context=self._given.context,
            state=state,
            outputs=plan.outputs,
            names=self._steps.names(plan.output_reads, self._given.parameters),
            error=self._error(state),
            transitions=self._steps.take(),
        )
        writing = asyncio.ensure_future(
            workflow.execute_activity(
                FINISH_RUN,
                call,
                activity_id=f"{OWN}finish",
                task_queue=ACTIVITY_QUEUE,
                result_type=RunResult,
                start_to_close_timeout=timedelta(seconds=_FINISH_SECONDS),
            )
        )
        await _ended(writing, None, lambda: None)
        result = await writing
        return RunResult.model_validate(result)

    def _error(self, state: RunState) -> dict[str, Any] | None:
        steps, results = self._given.plan.steps, self._scheduler.results
        if state is RunState.TIMED_OUT:
            limit = self._given.plan.timeout_seconds
            return {"code": "timed_out", "message": f"The run took longer than {limit:g} s."}
        failed = root_failures(steps, results)
        if state is not RunState.FAILED or not failed:
            return None
        first = results[failed[0]].error or {}
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        message = f"{steps[failed[0]].key}: {first.get('message', 'failed')}{more}"
        return {**first, "message": message, "task_key": steps[failed[0]].key}

    def _show(self, state: RunState) -> None:
        workflow.upsert_search_attributes([_STATE.value_set(state.value)])


def _by_place(given: JobInput) -> dict[int, TaskResult]:
    if given.carried is None:
        return {}
    places = {step.key: number for number, step in enumerate(given.plan.steps)}
    return {places[key]: result for key, result in given.carried.results.items()}


def _history_is_long() -> bool:
    info = workflow.info()
    return (
        info.is_continue_as_new_suggested()
        or info.get_current_history_length() > _MAX_EVENTS
        or info.get_current_history_size() > _MAX_BYTES
    )


async def _ended(work: "asyncio.Future[Any]", seconds: float | None, on_cancel: Any) -> bool:
    """Wait for work through any number of cancellations; tell whether it ended in time.

    Only the server's request counts as one: when the worker drops the run from its cache, it
    cancels its coroutines too, and those must simply go.
    """
    while not work.done():
        try:
            await workflow.wait([work], timeout=seconds)
            return work.done()
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise
            on_cancel()
            seconds = None
    return True


def _conclude(result: RunResult) -> RunResult:
    """Close the workflow so that Temporal shows the state that the index shows."""
    if result.state == RunState.COMPLETED:
        return result
    if result.state == RunState.CANCELLED:
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError
        return result
    error = result.error or {}
    raise ApplicationError(
        str(error.get("message", result.state)),
        result.model_dump(mode="json"),
        type=str(error.get("code", result.state)),
        non_retryable=True,
    )


def _refusal(message: str) -> ApplicationError:
    return ApplicationError(message, type="conflict", non_retryable=True)
