"""Runs a job on this machine, under plain asyncio: the engine's scheduler without its server."""

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from racine import expressions, registry
from racine.definitions.document import JobDocument
from racine.definitions.parameters import bind
from racine.definitions.schemas import mismatches
from racine.engine.plan import Plan, Step, compile_plan
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
    plan = compile_plan(document)
    now = datetime.now(UTC).isoformat()
    about = {"id": "run_local", "job": plan.job, "workspace": "local",
             "start_time": now, "logical_time": now}  # fmt: skip
    names = {"params": bind(document.parameters, parameters), "run": about}
    local = _Local(operations, functions)
    local.require_performers([p for p in (plan, plan.on_failure, plan.final) if p])
    return asyncio.run(local.run(plan, names))


@dataclass
class _Local:
    """What performs, whatever the level."""

    operations: Mapping[str, Performer]
    functions: Mapping[str, Callable[..., Any]]
    order: list[str] = field(default_factory=list)

    def require_performers(self, plans: Sequence[Plan]) -> None:
        """Raise InvalidInput for operations that have an effect and nobody stands in for."""
        named = {step.spec["operation"] for step in _steps(plans) if step.kind == "operation_task"}
        missing = sorted(name for name in named if not self._performs(name))
        if missing:
            raise InvalidInput(
                f"These operations need a server: {', '.join(missing)}.",
                next_step='Say what each returns: job.test(operations={"…": lambda given: {…}}).',
            )

    async def run(self, plan: Plan, names: dict[str, Any]) -> LocalRun:
        """Run the tasks, then what comes after a failure, then what comes last."""
        level = _Level(self, plan, names)
        state = await level.run()
        tasks = level.by_key()
        told = {**names, "tasks": {key: _view(result) for key, result in tasks.items()}}
        for after in (plan.on_failure if state is RunState.FAILED else None, plan.final):
            if after is not None:
                rest = _Level(self, after, told)
                ended = await rest.run()
                tasks |= rest.by_key()
                state = ended if state is RunState.COMPLETED else state
        completed = state is RunState.COMPLETED
        outputs = expressions.resolve(plan.outputs, told) if completed else {}
        return LocalRun(state, outputs, tasks, self.order)

    def perform(self, step: Step, names: dict[str, Any]) -> dict[str, Any]:
        """Return what a step of a kind that does something gives."""
        if step.kind == "operation_task":
            given = expressions.resolve(step.spec["input"], names)
            values = self._operate(step.spec["operation"], given)
        elif step.kind == "python_task":
            function = self.functions[step.spec["callable"]]
            values = _values(function(**expressions.resolve(step.spec["parameters"], names)))
        elif step.kind == "noop_task":
            values = {}
        else:
            raise InvalidInput(f"A {step.kind} cannot be tried without a server.")
        if step.outputs is not None and (faults := mismatches(step.outputs, values)):
            raise InvalidInput(f"What it returned does not fit: {faults[0].message}", faults=faults)
        return values

    def _performs(self, name: str) -> bool:
        known = registry.operations().get(name)
        return name in self.operations or (known is not None and known.judge is not None)

    def _operate(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        if name in self.operations:
            return _values(self.operations[name](given))
        operation = registry.operation(name)
        assert operation.judge is not None
        return _values(operation.judge(operation.input.model_validate(given)))


class _Level:
    """One plan in one place: the job itself, an iteration of a loop, or what comes after."""

    def __init__(
        self, local: _Local, plan: Plan, around: Mapping[str, Any], prefix: str = ""
    ) -> None:
        self._local = local
        self._plan = plan
        self._around = around
        self._prefix = prefix
        self._scheduler = Scheduler(plan, self._execute, lambda number, result: None)

    async def run(self) -> RunState:
        await self._scheduler.run()
        return verdict(self._plan.steps, self._scheduler.results)

    def by_key(self) -> dict[str, TaskResult]:
        results = sorted(self._scheduler.results.items())
        return {self._plan.steps[number].key: result for number, result in results}

    async def _execute(self, number: int, step: Step) -> TaskResult:
        self._local.order.append(self._prefix + step.key)
        names = self._names()
        try:
            if step.kind == "condition_task":
                return _decided(str(expressions.is_true(step.spec["expression"], names)).lower())
            if step.kind == "switch_task":
                return _decided(_case(step.spec, names))
            if step.kind == "for_each_task":
                return await self._for_each(step, names)
            values = await asyncio.to_thread(self._local.perform, step, names)
        except RacineError as fault:
            error = {"code": fault.code, "message": fault.message, "next_step": fault.next_step}
            return TaskResult(TaskState.FAILED, error=error)
        except Exception as fault:
            error = {"code": type(fault).__name__, "message": str(fault)}
            return TaskResult(TaskState.FAILED, error=error)
        return TaskResult(TaskState.SUCCEEDED, values)

    async def _for_each(self, step: Step, names: dict[str, Any]) -> TaskResult:
        assert step.body is not None
        items = expressions.resolve(step.spec["inputs"], names)
        if not isinstance(items, list):
            raise InvalidInput(f"{step.key} loops over a list, not {type(items).__name__}.")
        size = step.spec["batch_size"]
        if size is not None:
            items = [items[start : start + size] for start in range(0, len(items), size)]
        failed = []
        for number, item in enumerate(items):
            inside = {**names, "item": item, "item_index": number}
            place = f"{self._prefix}{step.key}[{number}]."
            if await _Level(self._local, step.body, inside, place).run() is not RunState.COMPLETED:
                failed.append(number)
        values = {"total": len(items), "succeeded": len(items) - len(failed),
                  "failed": len(failed), "failed_items": failed}  # fmt: skip
        if len(failed) * 100 <= step.spec["max_failed_percent"] * len(items):
            return TaskResult(TaskState.SUCCEEDED, values)
        message = f"{len(failed)} of {len(items)} items failed"
        return TaskResult(
            TaskState.FAILED, values, error={"code": "items_failed", "message": message}
        )

    def _names(self) -> dict[str, Any]:
        own = {key: _view(result) for key, result in self.by_key().items()}
        return {**self._around, "tasks": {**self._around.get("tasks", {}), **own}}


def _steps(plans: Sequence[Plan]) -> Iterator[Step]:
    for plan in plans:
        for step in plan.steps:
            yield step
            if step.body is not None:
                yield from _steps([step.body])


def _decided(outcome: str) -> TaskResult:
    return TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome)


def _case(spec: dict[str, Any], names: dict[str, Any]) -> str:
    value = expressions.as_text(expressions.resolve(spec["on"], names))
    return value if value in spec["cases"] else spec["default"] or ""


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
