"""How the interpreter carries out one level of a plan, step by step of each kind."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, HEARTBEAT_TIMEOUT_SECONDS, PYTHON
    from models.messages import PythonCall, Scope, TaskCall, TaskOutput
    from racine import expressions
    from racine.engine.plan import Plan, Read, Step
    from racine.engine.scheduler import Scheduler
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import InvalidInput, RacineError
    from workflows.flow import Flow
    from workflows.loops import run_loop
    from workflows.people import Approval


class Level:
    """Runs one plan in one place: the job itself, an iteration of a loop, or what comes after."""

    def __init__(
        self,
        flow: Flow,
        scope: Scope,
        plan: Plan,
        *,
        results: dict[int, TaskResult] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.flow = flow
        self.scope = scope
        self.plan = plan
        self.scheduler = Scheduler(
            plan,
            self._execute,
            self._observe,
            results=results or {},
            paused=flow.paused,
            hold=plan.hold,
        )
        self._on_change = on_change
        """Called whenever a step has begun or ended."""
        self._kinds: dict[str, Callable[[Step], Awaitable[TaskResult]]] = {
            "operation_task": self._operation,
            "python_task": self._python,
            "condition_task": self._condition,
            "switch_task": self._switch,
            "for_each_task": self._for_each,
            "wait_task": self._wait,
            "approval_task": self._approval,
            "noop_task": self._noop,
        }

    @property
    def results(self) -> dict[int, TaskResult]:
        return self.scheduler.results

    async def run(self) -> None:
        """Run the plan to its end, or until it is stopped or drained."""
        self.flow.enter(self.scheduler)
        try:
            await self.scheduler.run()
        except asyncio.CancelledError:
            if not self.flow.stopping:
                raise
            self.scheduler.stop()
            await self.scheduler.run()
            raise
        finally:
            self.flow.leave(self.scheduler)

    def names(
        self, reads: list[Read], params: list[str] | None, outer: list[str]
    ) -> dict[str, Any]:
        """Return what expressions may refer to: of other steps, only what they read."""
        steps, scope = self.plan.steps, self.scope
        tasks = {key: scope.outer_tasks[key] for key in outer if key in scope.outer_tasks}
        for number, fields in reads:
            if number in self.results:
                tasks[steps[number].key] = _view(self.results[number], fields)
        given = scope.parameters
        if params is not None:
            given = {name: given[name] for name in params if name in given}
        return {"params": given, "run": scope.run, "tasks": tasks, **scope.loop}

    def path(self, step: Step) -> str:
        """Return a task's key with the loops around it."""
        return self.scope.prefix + step.key

    def names_of(self, step: Step) -> dict[str, Any]:
        return self.names(step.reads, step.params, step.outer)

    async def _execute(self, number: int, step: Step) -> TaskResult:
        self._on_change()
        try:
            result = await self._kinds[step.kind](step)
        except RacineError as fault:
            error = {"code": fault.code, "message": fault.message, "next_step": fault.next_step}
            result = self._told(step, TaskResult(TaskState.FAILED, error=error))
        self._on_change()
        return result

    def _observe(self, number: int, result: TaskResult) -> None:
        self._told(self.plan.steps[number], result)

    def _told(self, step: Step, result: TaskResult) -> TaskResult:
        self.flow.ended(self.path(step), result)
        return result

    async def _operation(self, step: Step) -> TaskResult:
        call = TaskCall(**self._call(step, step.spec["input"]))
        return await self._activity(step.spec["operation"], call, step)

    async def _python(self, step: Step) -> TaskResult:
        given = self._call(step, step.spec["parameters"])
        return await self._activity(
            PYTHON, PythonCall(**given, callable=step.spec["callable"]), step
        )

    async def _condition(self, step: Step) -> TaskResult:
        taken = expressions.is_true(step.spec["expression"], self.names_of(step))
        return self._decided(step, "true" if taken else "false")

    async def _switch(self, step: Step) -> TaskResult:
        value = expressions.resolve(step.spec["on"], self.names_of(step))
        outcome = expressions.as_text(value)
        if outcome not in step.spec["cases"]:
            outcome = step.spec["default"] or ""
        return self._decided(step, outcome)

    def _decided(self, step: Step, outcome: str) -> TaskResult:
        result = TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome)
        return self._told(step, result)

    async def _noop(self, step: Step) -> TaskResult:
        return self._told(step, TaskResult(TaskState.SUCCEEDED, {}))

    async def _wait(self, step: Step) -> TaskResult:
        self.flow.note(self.path(step), "started", {}, n=0)
        await self.flow.flush(self.scope.context)
        await workflow.sleep(_wait_seconds(step.spec, self.names_of(step)))
        return self._told(step, TaskResult(TaskState.SUCCEEDED, {}))

    async def _approval(self, step: Step) -> TaskResult:
        path, spec = self.path(step), step.spec
        question = Approval(spec, self.scope.context.actor)
        self.flow.approvals[path] = question
        prompt = expressions.resolve(spec["prompt"], self.names_of(step))
        body = {"prompt": prompt, "required": spec["required"], "approvers": spec["approvers"]}
        self.flow.note(path, "waiting", body, n=0)
        try:
            await self.flow.flush(self.scope.context)
            await workflow.wait_condition(
                lambda: question.outcome is not None, timeout=spec["timeout_seconds"]
            )
        except TimeoutError:
            question.time_out()
        finally:
            del self.flow.approvals[path]
        return self._told(step, question.result())

    async def _for_each(self, step: Step) -> TaskResult:
        self.flow.note(self.path(step), "started", {}, n=0)
        return self._told(step, await run_loop(self, step, Level))

    def _call(self, step: Step, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "context": self.scope.context,
            "task_key": self.path(step),
            "try_number": self.flow.begin(self.path(step)),
            "input": given,
            "names": self.names_of(step) if step.templated else None,
            "outputs": step.outputs,
        }

    async def _activity(self, name: str, call: TaskCall, step: Step) -> TaskResult:
        async with self.flow.gate:
            return await self._open_activity(name, call, step)

    async def _open_activity(self, name: str, call: TaskCall, step: Step) -> TaskResult:
        try:
            output = await workflow.execute_activity(
                name,
                call.model_copy(update={"transitions": self.flow.take()}),
                activity_id=_activity_id(call),
                task_queue=ACTIVITY_QUEUE,
                result_type=TaskOutput,
                start_to_close_timeout=timedelta(seconds=step.start_to_close_seconds),
                heartbeat_timeout=timedelta(
                    seconds=step.heartbeat_seconds or HEARTBEAT_TIMEOUT_SECONDS
                ),
                schedule_to_close_timeout=_seconds(step.schedule_to_close_seconds),
                retry_policy=self._retry(step),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                priority=Priority(fairness_key=call.context.workspace_id),
            )
        except ActivityError as failure:
            return self._failed(step, failure)
        return TaskResult(TaskState.SUCCEEDED, output.values, ref=output.ref)

    def _failed(self, step: Step, failure: ActivityError) -> TaskResult:
        cancelled = is_cancelled_exception(failure)
        state = TaskState.CANCELLED if cancelled else TaskState.FAILED
        result = TaskResult(state, error=None if cancelled else _describe(failure))
        if not isinstance(failure.cause, ApplicationError):
            # No attempt lived to say so: it ran out of time, was cancelled or lost its worker.
            self._told(step, result)
        return result

    def _retry(self, step: Step) -> RetryPolicy:
        policy = step.retry_policy or self.plan.retry_policy
        return RetryPolicy(
            maximum_attempts=policy.maximum_attempts,
            initial_interval=timedelta(seconds=policy.initial_interval_seconds),
            backoff_coefficient=policy.backoff_coefficient,
            maximum_interval=timedelta(seconds=policy.maximum_interval_seconds),
            non_retryable_error_types=policy.non_retryable_error_types,
        )


def _activity_id(call: TaskCall) -> str:
    return call.task_key if call.try_number == 1 else f"{call.task_key}#{call.try_number}"


def _view(result: TaskResult, fields: list[str] | None) -> dict[str, Any]:
    values = result.values or {}
    if fields is not None:
        values = {name: values[name] for name in fields if name in values}
    seen: dict[str, Any] = {"values": values, "state": result.state.value}
    for name in ("outcome", "error", "ref"):
        if (found := getattr(result, name)) is not None:
            seen[name] = found
    return seen


def _wait_seconds(spec: dict[str, Any], names: dict[str, Any]) -> float:
    if spec["duration_seconds"] is not None:
        return float(spec["duration_seconds"])
    text = str(expressions.resolve(spec["until"], names))
    try:
        moment = datetime.fromisoformat(text)
        return max(0.0, (moment - workflow.now()).total_seconds())
    except (ValueError, TypeError):
        raise InvalidInput(
            f"{text!r} is no moment with an offset.",
            next_step="Write it like 2026-11-21T07:00:00+00:00.",
        ) from None


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _describe(failure: ActivityError) -> dict[str, Any]:
    cause = failure.cause
    if isinstance(cause, ApplicationError):
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return {"code": cause.type or "error", "message": cause.message, **details}
    code = type(cause).__name__ if cause else "error"
    return {"code": code, "message": str(cause) if cause else str(failure)}
