"""RacineJob: runs the plan of one job; every effect is an activity, every decision is here."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, FINISH_RUN
    from models.messages import FinishCall, JobInput, OperationCall, RunResult, Transition
    from racine import expressions
    from racine.engine.plan import Plan, Step
    from racine.engine.scheduler import Scheduler, TaskResult
    from racine.engine.states import RunState, TaskState
    from racine.errors import RacineError


@workflow.defn(name="RacineJob")
class RacineJob:
    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._given = given
        self._transitions: list[Transition] = []
        assert given.plan is not None
        self._scheduler = Scheduler(given.plan, self._execute, self._observe)

    @workflow.run
    async def run(self, given: JobInput) -> RunResult:
        state = await self._scheduler.run()
        outputs = self._outputs() if state is RunState.COMPLETED else {}
        await workflow.execute_activity(
            FINISH_RUN,
            FinishCall(
                context=given.context, state=state, outputs=outputs, transitions=self._take()
            ),
            activity_id="racine:finish",
            task_queue=ACTIVITY_QUEUE,
            start_to_close_timeout=timedelta(seconds=30),
        )
        return RunResult(state=state, outputs=outputs)

    @property
    def _plan(self) -> Plan:
        return self._scheduler.plan

    async def _execute(self, number: int, step: Step) -> TaskResult:
        try:
            if step.kind == "operation_task":
                return await self._operation(step)
            return self._decide(number, step)
        except RacineError as fault:
            error = {"code": fault.code, "message": fault.message, "next_step": fault.next_step}
            result = TaskResult(TaskState.FAILED, error=error)
            self._observe(number, result)
            return result

    async def _operation(self, step: Step) -> TaskResult:
        given = expressions.resolve(step.spec["input"], self._context(step))
        try:
            values = await workflow.execute_activity(
                step.spec["operation"],
                OperationCall(
                    context=self._given.context,
                    task_key=step.key,
                    input=given,
                    transitions=self._take(),
                ),
                activity_id=step.key,
                task_queue=ACTIVITY_QUEUE,
                result_type=dict,
                start_to_close_timeout=timedelta(seconds=step.start_to_close_seconds),
                heartbeat_timeout=_seconds(step.heartbeat_seconds),
                schedule_to_close_timeout=_seconds(step.schedule_to_close_seconds),
                retry_policy=_retry(step),
                summary=step.key,
            )
        except ActivityError as failure:
            return TaskResult(TaskState.FAILED, error=_describe(failure))
        return TaskResult(TaskState.SUCCEEDED, values)

    def _decide(self, number: int, step: Step) -> TaskResult:
        outcome = None
        if step.kind == "condition_task":
            taken = expressions.is_true(step.spec["expression"], self._context(step))
            outcome = "true" if taken else "false"
        result = TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome)
        self._observe(number, result)
        return result

    def _observe(self, number: int, result: TaskResult) -> None:
        body: dict[str, Any] = {"outcome": result.outcome} if result.outcome else {}
        if result.error:
            body["error"] = result.error
        self._transitions.append(
            Transition(task_key=self._plan.steps[number].key, n=1, kind=result.state, body=body)
        )

    def _take(self) -> list[Transition]:
        taken, self._transitions = self._transitions, []
        return taken

    def _context(self, step: Step) -> dict[str, Any]:
        return self._view(step.reads)

    def _view(self, numbers: list[int]) -> dict[str, Any]:
        steps, results = self._plan.steps, self._scheduler.results
        return {
            "params": self._given.parameters,
            "run": {"id": self._given.context.run_id},
            "tasks": {
                steps[n].key: {"values": results[n].values, "state": results[n].state.value}
                for n in numbers
                if n in results
            },
        }

    def _outputs(self) -> dict[str, Any]:
        everything = list(range(len(self._plan.steps)))
        resolved = expressions.resolve(self._plan.outputs, self._view(everything))
        return dict(resolved)


def _retry(step: Step) -> RetryPolicy:
    policy = step.retry_policy
    return RetryPolicy(
        maximum_attempts=policy.maximum_attempts,
        initial_interval=timedelta(seconds=policy.initial_interval_seconds),
        backoff_coefficient=policy.backoff_coefficient,
        maximum_interval=timedelta(seconds=policy.maximum_interval_seconds),
        non_retryable_error_types=policy.non_retryable_error_types,
    )


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def _describe(failure: ActivityError) -> dict[str, Any]:
    cause = failure.cause
    if isinstance(cause, ApplicationError):
        return {"code": cause.type or "error", "message": cause.message}
    return {"code": type(cause).__name__, "message": str(cause)}
