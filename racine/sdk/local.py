"""Runs a job on this machine, under plain asyncio: the engine's scheduler without its server."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from racine import expressions, registry
from racine.definitions.document import JobDocument
from racine.definitions.parameters import bind
from racine.definitions.schemas import mismatches
from racine.engine.plan import Plan, Read, Step, compile_plan
from racine.engine.policies import verdict
from racine.engine.scheduler import Scheduler
from racine.engine.states import RunState, TaskResult, TaskState
from racine.errors import InvalidInput, RacineError
from racine.sdk.reference import plain

Performer = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class LocalRun:
    """How a local run ended."""

    state: RunState
    outputs: dict[str, Any]
    tasks: dict[str, TaskResult]
    order: list[str] = field(default_factory=list)
    """The tasks that did something, in the order in which they began."""


def run(
    document: JobDocument,
    parameters: Mapping[str, Any],
    operations: Mapping[str, Performer],
    functions: Mapping[str, Callable[..., Any]],
) -> LocalRun:
    """Run a valid document to its end; every task has one try."""
    local = _Local(
        compile_plan(document), bind(document.parameters, parameters), operations, functions
    )
    local.require_performers()
    return asyncio.run(local.run())


class _Local:
    def __init__(
        self,
        plan: Plan,
        parameters: dict[str, Any],
        operations: Mapping[str, Performer],
        functions: Mapping[str, Callable[..., Any]],
    ) -> None:
        self._plan = plan
        self._parameters = parameters
        self._operations = operations
        self._functions = functions
        self._order: list[str] = []
        now = datetime.now(UTC).isoformat()
        self._run = {"id": "run_local", "job": plan.job, "workspace": "local",
                     "start_time": now, "logical_time": now}  # fmt: skip
        self._scheduler = Scheduler(plan, self._execute, lambda number, result: None)

    def require_performers(self) -> None:
        """Raise InvalidInput for operations that have an effect and nobody stands in for."""
        missing = sorted(
            {
                step.spec["operation"]
                for step in self._plan.steps
                if step.kind == "operation_task" and not self._performs(step.spec["operation"])
            }
        )
        if missing:
            raise InvalidInput(
                f"These operations need a server: {', '.join(missing)}.",
                next_step='Say what each returns: job.test(operations={"…": lambda given: {…}}).',
            )

    async def run(self) -> LocalRun:
        await self._scheduler.run()
        steps, results = self._plan.steps, self._scheduler.results
        state = verdict(steps, results)
        tasks = {steps[number].key: result for number, result in sorted(results.items())}
        outputs: dict[str, Any] = {}
        if state is RunState.COMPLETED:
            names = self._names(self._plan.output_reads)
            outputs = expressions.resolve(self._plan.outputs, names)
        return LocalRun(state, outputs, tasks, self._order)

    async def _execute(self, number: int, step: Step) -> TaskResult:
        self._order.append(step.key)
        names = self._names(step.reads)
        try:
            if step.kind == "condition_task":
                outcome = str(expressions.is_true(step.spec["expression"], names)).lower()
                return TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome)
            values = await asyncio.to_thread(self._perform, step, names)
        except RacineError as fault:
            error = {"code": fault.code, "message": fault.message, "next_step": fault.next_step}
            return TaskResult(TaskState.FAILED, error=error)
        except Exception as fault:
            error = {"code": type(fault).__name__, "message": str(fault)}
            return TaskResult(TaskState.FAILED, error=error)
        return TaskResult(TaskState.SUCCEEDED, values)

    def _perform(self, step: Step, names: dict[str, Any]) -> dict[str, Any]:
        if step.kind == "operation_task":
            values = self._operate(
                step.spec["operation"], expressions.resolve(step.spec["input"], names)
            )
        elif step.kind == "python_task":
            function = self._functions[step.spec["callable"]]
            values = _values(function(**expressions.resolve(step.spec["parameters"], names)))
        else:
            values = {}
        if step.outputs is not None and (faults := mismatches(step.outputs, values)):
            raise InvalidInput(f"What it returned does not fit: {faults[0].message}", faults=faults)
        return values

    def _performs(self, name: str) -> bool:
        known = registry.operations().get(name)
        return name in self._operations or (known is not None and known.judge is not None)

    def _operate(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        if name in self._operations:
            return _values(self._operations[name](given))
        operation = registry.operation(name)
        assert operation.judge is not None
        return _values(operation.judge(operation.input.model_validate(given)))

    def _names(self, reads: list[Read]) -> dict[str, Any]:
        results = self._scheduler.results
        tasks = {self._plan.steps[n].key: _view(results[n]) for n, _ in reads if n in results}
        return {"params": self._parameters, "run": self._run, "tasks": tasks}


def _view(result: TaskResult) -> dict[str, Any]:
    seen = {"values": result.values or {}, "state": result.state.value}
    optional = {"outcome": result.outcome, "error": result.error}
    return seen | {name: value for name, value in optional.items() if value is not None}


def _values(result: Any) -> dict[str, Any]:
    """Return what a function gave as the task's values; anything but a mapping is `result`."""
    if result is None:
        return {}
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        result = dataclasses.asdict(result)
    return dict(plain(result)) if isinstance(result, Mapping) else {"result": plain(result)}
