"""Tries a job on this machine: a simulation in which Python and pure operations really run."""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from racine import registry
from racine.definitions.document import JobDocument
from racine.definitions.every_task import every_task
from racine.engine.states import RunState, TaskResult
from racine.errors import InvalidInput, RacineError
from racine.sdk.reference import plain
from racine.simulation.attempts import Work
from racine.simulation.mocks import Answer, Failure, Mocks, read_mocks
from racine.simulation.running import SimulatedTask, simulate

Performer = Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class LocalRun:
    """How a trial ended; tasks go by key, those in loops by path: `each[3].clean`."""

    state: RunState
    outputs: dict[str, Any]
    tasks: dict[str, TaskResult]
    order: list[str] = field(default_factory=list)
    """The tasks that did something, in the order in which they began."""
    error: dict[str, Any] | None = None
    details: dict[str, SimulatedTask] = field(default_factory=dict)
    """Attempts and simulated times of each task."""


def run(
    document: JobDocument,
    parameters: Mapping[str, Any],
    operations: Mapping[str, Performer],
    functions: Mapping[str, Callable[..., Any]],
    mocks: Mapping[str, Any] | None = None,
) -> LocalRun:
    """Run a sound document to its end; waits and pauses between attempts take no time."""
    local = _Local(operations, functions)
    keys = {found.task.task_key for found in every_task(document)}
    local.require_performers(document, read_mocks(mocks or {}, keys))
    now = datetime.now(UTC).isoformat()
    done = simulate(document, parameters, mocks or {}, perform=local.perform, began=now)
    results = {path: task.result for path, task in done.tasks.items()}
    return LocalRun(done.state, done.outputs, results, done.order, done.error, done.tasks)


@dataclass
class _Local:
    operations: Mapping[str, Performer]
    functions: Mapping[str, Callable[..., Any]]

    def require_performers(self, document: JobDocument, mocks: Mocks) -> None:
        """Raise InvalidInput for operations that have an effect and nobody stands in for."""
        missing = {
            found.task.operation_task.operation
            for found in every_task(document)
            if found.task.operation_task is not None
            and not self._performs(found.task.operation_task.operation)
            and mocks.answer("", found.task.task_key, found.task.operation_task.operation, 1)
            is None
        }
        if missing:
            raise InvalidInput(
                f"These operations need a server: {', '.join(sorted(missing))}.",
                next_step='Say what each returns: job.test(operations={"…": lambda given: {…}}).',
            )

    def perform(self, work: Work) -> Answer | None:
        """Do what can be done here; any other kind of task is answered for, or returns nothing."""
        try:
            if work.kind == "operation_task":
                return Answer(values=self._operate(work.spec["operation"], work.given))
            if work.kind == "python_task":
                return Answer(values=_values(self._function(work)(**work.given)))
        except RacineError as fault:
            error = Failure(code=fault.code, message=fault.message, retryable=fault.retryable)
            return Answer(error=error)
        except Exception as fault:
            return Answer(error=Failure(code=type(fault).__name__, message=str(fault)))
        return None

    def _performs(self, name: str) -> bool:
        known = registry.operations().get(name)
        return name in self.operations or (known is not None and known.judge is not None)

    def _operate(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        if name in self.operations:
            return _values(self.operations[name](given))
        operation = registry.operation(name)
        if operation.judge is None:
            raise InvalidInput(f"{name} cannot be performed without a server.")
        return _values(operation.judge(operation.input.model_validate(given)))

    def _function(self, work: Work) -> Callable[..., Any]:
        """Return the function of a Python task: as the job was written with it, else imported."""
        name = work.spec["callable"]
        if name in self.functions:
            return self.functions[name]
        module, _, path = name.partition(":")
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
        function: Callable[..., Any] = found
        return function


def _values(result: Any) -> dict[str, Any]:
    """Return what a function gave as the task's values; anything but a mapping is `result`."""
    if result is None:
        return {}
    if isinstance(result, BaseModel):
        return result.model_dump(mode="json")
    if dataclasses.is_dataclass(result) and not isinstance(result, type):
        result = dataclasses.asdict(result)
    return dict(plain(result)) if isinstance(result, Mapping) else {"result": plain(result)}
