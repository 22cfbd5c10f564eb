"""How the interpreter carries out one step of each kind."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, HEARTBEAT_TIMEOUT_SECONDS, PYTHON
    from models.messages import JobInput, PythonCall, TaskCall, TaskOutput, Transition
    from racine import expressions
    from racine.engine.plan import Read, Step
    from racine.engine.states import TaskResult, TaskState


class Steps:
    """Executes steps of one run and keeps what the event log has not been told yet."""

    def __init__(self, given: JobInput, started_at: datetime) -> None:
        self._given = given
        self._plan = given.plan
        self._run = {
            "id": given.context.run_id,
            "job": given.plan.job,
            "workspace": given.context.workspace_id,
            "start_time": started_at.isoformat(),
            "logical_time": given.logical_time or started_at.isoformat(),
        }
        self.results: dict[int, TaskResult] = {}
        carried = given.carried
        self._transitions: list[Transition] = list(carried.transitions) if carried else []
        self._kinds: dict[str, Callable[[int, Step], Awaitable[TaskResult]]] = {
            "operation_task": self._operation,
            "python_task": self._python,
            "condition_task": self._condition,
            "noop_task": self._noop,
        }

    async def execute(self, number: int, step: Step) -> TaskResult:
        """Run a step to its end; raises RacineError for what its document got wrong."""
        return await self._kinds[step.kind](number, step)

    def observe(self, number: int, result: TaskResult) -> None:
        """Note the end of a step that no activity will write down."""
        body: dict[str, Any] = {"outcome": result.outcome} if result.outcome else {}
        if result.error:
            body["error"] = result.error
        self._transitions.append(
            Transition(task_key=self._plan.steps[number].key, n=1, kind=result.state, body=body)
        )

    def fail(self, number: int, error: dict[str, Any]) -> TaskResult:
        result = TaskResult(TaskState.FAILED, error=error)
        self.observe(number, result)
        return result

    def take(self) -> list[Transition]:
        """Give away what the event log has not been told, once."""
        taken, self._transitions = self._transitions, []
        return taken

    def names(self, reads: list[Read], parameters: dict[str, Any]) -> dict[str, Any]:
        """Return what expressions may refer to: of other steps, only what they read."""
        steps = self._plan.steps
        tasks = {steps[n].key: _view(self.results[n], fields) for n, fields in reads
                 if n in self.results}  # fmt: skip
        return {"params": parameters, "run": self._run, "tasks": tasks}

    def still_read(self) -> dict[str, TaskResult]:
        """Return all results by task key, with values only where something still reads them."""
        steps = self._plan.steps
        open_ = [step for number, step in enumerate(steps) if number not in self.results]
        wanted = {n for step in open_ for n, _ in step.reads}
        wanted |= {n for n, _ in self._plan.output_reads}
        return {
            steps[n].key: r if n in wanted else TaskResult(r.state, None, r.outcome, r.error)
            for n, r in sorted(self.results.items())
        }

    async def _operation(self, number: int, step: Step) -> TaskResult:
        call = TaskCall(**self._call(step, step.spec["input"]))
        return await self._activity(step.spec["operation"], call, number)

    async def _python(self, number: int, step: Step) -> TaskResult:
        call = PythonCall(
            **self._call(step, step.spec["parameters"]), callable=step.spec["callable"]
        )
        return await self._activity(PYTHON, call, number)

    async def _condition(self, number: int, step: Step) -> TaskResult:
        names = self._names(step)
        outcome = "true" if expressions.is_true(step.spec["expression"], names) else "false"
        result = TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome)
        self.observe(number, result)
        return result

    async def _noop(self, number: int, step: Step) -> TaskResult:
        result = TaskResult(TaskState.SUCCEEDED, {})
        self.observe(number, result)
        return result

    def _names(self, step: Step) -> dict[str, Any]:
        given = self._given.parameters
        return self.names(step.reads, {name: given[name] for name in step.params if name in given})

    def _call(self, step: Step, given: dict[str, Any]) -> dict[str, Any]:
        return {
            "context": self._given.context,
            "task_key": step.key,
            "input": given,
            "names": self._names(step) if step.templated else None,
            "outputs": step.outputs,
            "transitions": self.take(),
        }

    async def _activity(self, name: str, call: TaskCall, number: int) -> TaskResult:
        step = self._plan.steps[number]
        try:
            output = await workflow.execute_activity(
                name,
                call,
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
                summary=call.task_key,
                priority=Priority(fairness_key=call.context.workspace_id),
            )
        except ActivityError as failure:
            cancelled = is_cancelled_exception(failure)
            state = TaskState.CANCELLED if cancelled else TaskState.FAILED
            result = TaskResult(state, error=None if cancelled else _describe(failure))
            if not isinstance(failure.cause, ApplicationError):
                # No attempt lived to say so: it ran out of time, was cancelled or lost its worker.
                self.observe(number, result)
            return result
        return TaskResult(TaskState.SUCCEEDED, output.values, ref=output.ref)

    def _retry(self, step: Step) -> RetryPolicy:
        policy = step.retry_policy or self._plan.retry_policy
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
    if result.outcome is not None:
        seen["outcome"] = result.outcome
    if result.error is not None:
        seen["error"] = result.error
    return seen


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _describe(failure: ActivityError) -> dict[str, Any]:
    cause = failure.cause
    if isinstance(cause, ApplicationError):
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return {"code": cause.type or "error", "message": cause.message, **details}
    code = type(cause).__name__ if cause else "error"
    return {"code": code, "message": str(cause) if cause else str(failure)}
