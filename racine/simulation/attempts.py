"""Attempts of simulated tasks: answered for, retried by their policy, held to their limits."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from racine import expressions
from racine.definitions.document import RetryPolicy, RuleAction
from racine.definitions.schemas import mismatches
from racine.engine.plan import Step
from racine.engine.rules import after_failure
from racine.engine.states import TaskResult, TaskState
from racine.errors import InvalidInput, RacineError
from racine.simulation.clock import seconds
from racine.simulation.mocks import Answer, Failure, Mocks

MAX_STEPS = 20_000
"""Tasks and attempts of one simulation: more would keep its caller waiting for minutes."""

_INPUTS = {"operation_task": "input", "python_task": "parameters", "sql_task": "parameters",
           "http_task": "query", "run_job_task": "job_parameters"}  # fmt: skip
_OUTCOMES = {"approval_task": "approved", "quality_task": "passed"}
"""How a task ends of which nothing is said."""


@dataclass(frozen=True)
class Work:
    """One attempt of a task that has an effect."""

    path: str
    kind: str
    spec: Mapping[str, Any]
    given: dict[str, Any]
    """Its input, templates resolved."""
    attempt: int


Perform = Callable[[Work], Answer | None]
"""Answers for work of which no mock says anything; None leaves it without an answer."""


class Stopped(InvalidInput):
    """The simulation has taken too many steps."""


def described(fault: RacineError) -> dict[str, Any]:
    return {"code": fault.code, "message": fault.message, "next_step": fault.next_step}


@dataclass
class Attempts:
    mocks: Mocks
    perform: Perform | None = None
    unmocked: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    """Tasks that wait for a person, as a rule of theirs says."""
    _steps: int = 0

    def count(self) -> None:
        """Count a step; raise Stopped when there were too many."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise Stopped(
                f"The simulation stops after {MAX_STEPS} steps.",
                next_step="Let its loops have fewer items: the path is the same.",
            )

    async def carry_out(
        self, step: Step, path: str, names: dict[str, Any], policy: RetryPolicy
    ) -> tuple[TaskResult, int]:
        """Return how a task ends, and after how many attempts."""
        given = expressions.resolve(step.spec.get(_INPUTS.get(step.kind, ""), {}), names)
        if step.kind == "approval_task":
            return await self._asked(step, path, given), 1
        began = seconds()
        for number in itertools.count(1):
            work = Work(path, step.kind, step.spec, given, number)
            failure, answer = await self._once(step, work)
            if failure is None:
                return _succeeded(step, answer), number
            action, delay = _next(step, policy, failure, number)
            if action is RuleAction.SKIP:
                return TaskResult(TaskState.EXCLUDED, reason="rule"), number
            if action is RuleAction.HOLD:
                await self._hold(path)
            limit = step.schedule_to_close_seconds
            late = limit is not None and seconds() + delay - began > limit
            if action is RuleAction.FAIL or late:
                error = failure.model_dump(exclude={"retryable"})
                return TaskResult(TaskState.FAILED, error=error), number
            self.count()
            await asyncio.sleep(delay)
        raise AssertionError("attempts are counted without end")

    async def _hold(self, path: str) -> None:
        """Wait for a person, who never comes here."""
        self.held.append(path)
        await asyncio.get_running_loop().create_future()

    async def signalled(self, step: Step, path: str) -> TaskResult:
        """Return how a task ends that waits for a signal; its mock says what that brings, when."""
        spec = step.spec
        answer = self._answer(step, Work(path, step.kind, spec, {}, 1))
        limit = spec["timeout_seconds"]
        late = limit is not None and answer.seconds > limit
        await asyncio.sleep(limit if late else answer.seconds)
        if late and spec["on_timeout"] == "CONTINUE":
            return TaskResult(TaskState.SUCCEEDED, {"payload": None, "received": False})
        if late:
            message = f"The signal {spec['signal']!r} did not come within {limit:g} s."
            return TaskResult(TaskState.FAILED, error={"code": "timed_out", "message": message})
        payload = answer.values.get("payload")
        if path not in self.unmocked and (
            faults := mismatches(spec["payload_schema"] or {}, payload)
        ):
            message = f"The payload does not fit the signal {spec['signal']!r}: {faults[0].message}"
            return TaskResult(TaskState.FAILED, error={"code": "refused", "message": message})
        return TaskResult(TaskState.SUCCEEDED, {"payload": payload, "received": True})

    async def _once(self, step: Step, work: Work) -> tuple[Failure | None, Answer]:
        answer = self._answer(step, work)
        limit = step.start_to_close_seconds
        if answer.seconds > limit:
            await asyncio.sleep(limit)
            return Failure(code="timeout", message=f"It took longer than {limit:g} s."), answer
        await asyncio.sleep(answer.seconds)
        return answer.error or _refused(step, answer), answer

    def _answer(self, step: Step, work: Work) -> Answer:
        operation = str(work.spec.get("operation", ""))
        answer = self.mocks.answer(work.path, step.key, operation, work.attempt)
        if answer is None and self.perform is not None:
            answer = self.perform(work)
        if answer is None:
            self.unmocked += [work.path] if work.path not in self.unmocked else []
            return Answer()
        return answer

    async def _asked(self, step: Step, path: str, given: dict[str, Any]) -> TaskResult:
        spec = step.spec
        answer = self._answer(step, Work(path, step.kind, spec, given, 1))
        limit = spec["timeout_seconds"]
        late = limit is not None and answer.seconds > limit
        await asyncio.sleep(limit if late else answer.seconds)
        outcome: str | None = answer.outcome or _OUTCOMES[step.kind]
        if late:
            outcome = {"APPROVE": "approved", "REJECT": "rejected"}.get(spec["on_timeout"])
        values = {"approvals": [], "form": {}, **answer.values, "outcome": outcome}
        if outcome is None:
            error = {"code": "timed_out", "message": f"Nobody decided within {limit:g} s."}
            return TaskResult(TaskState.FAILED, error=error)
        if outcome == "rejected" and spec["on_reject"] == "FAIL":
            error = {"code": "rejected", "message": "It was rejected."}
            return TaskResult(TaskState.FAILED, values, outcome, error)
        return TaskResult(TaskState.SUCCEEDED, values, outcome)


def _succeeded(step: Step, answer: Answer) -> TaskResult:
    outcome = answer.outcome or _OUTCOMES.get(step.kind)
    values = answer.values if outcome is None else {**answer.values, "outcome": outcome}
    return TaskResult(TaskState.SUCCEEDED, values, outcome)


def _refused(step: Step, answer: Answer) -> Failure | None:
    """Return why what a task returned is not taken."""
    if answer.outcome == "failed" and step.spec.get("on_fail") == "FAIL":
        return Failure(code="quality", message="The gate does not pass.", retryable=False)
    faults = mismatches(step.outputs, answer.values) if step.outputs is not None else []
    if faults:
        message = f"The result does not fit its declared outputs: {faults[0].message}"
        return Failure(code="contract_broken", message=message, retryable=False)
    return None


def _next(
    step: Step, policy: RetryPolicy, failure: Failure, attempt: int
) -> tuple[RuleAction, float]:
    """Return what follows a failed attempt, and the seconds before another one."""
    if step.retry_rules:
        rule = after_failure(step, failure.model_dump(), attempt)
        return RuleAction(rule["action"]), rule.get("seconds", 0.0)
    again = failure.retryable and failure.code not in policy.non_retryable_error_types
    if again and attempt < policy.maximum_attempts:
        return RuleAction.RETRY, _delay(policy, attempt)
    return RuleAction.FAIL, 0.0


def _delay(policy: RetryPolicy, attempt: int) -> float:
    grown = policy.initial_interval_seconds * policy.backoff_coefficient ** min(attempt - 1, 64)
    return min(grown, policy.maximum_interval_seconds)
