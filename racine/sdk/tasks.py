"""One task of a job: its options first, then one typed call that says what it does."""

from collections.abc import Callable, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    ParamSpec,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    get_args,
    overload,
)

from racine.definitions.document import (
    TASK_KINDS,
    ConditionTask,
    Dependency,
    NoopTask,
    OperationTask,
    Part,
    PythonTask,
    RetryPolicy,
    RunIf,
    Task,
)
from racine.errors import InvalidInput
from racine.expressions import check, templates_in
from racine.group import InputT, Operation, ResultT
from racine.sdk.reference import Reference, expression_of, plain

if TYPE_CHECKING:
    from racine.sdk.job import JobBuilder

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
V = TypeVar("V")


class TaskOptions(TypedDict, total=False):
    """What any task may say, whatever it does; the names are those of the document."""

    description: str
    run_if: RunIf
    outputs: dict[str, Any]
    retry_policy: RetryPolicy
    start_to_close_timeout_seconds: float
    schedule_to_close_timeout_seconds: float
    heartbeat_timeout_seconds: float
    pool: str
    pool_slots: int
    disabled: bool


class LoopOptions(TypedDict, total=False):
    """How a loop goes about its items; the names are those of the document."""

    concurrency: int
    batch_size: int
    max_failed_percent: float


class Handle(Generic[V]):
    """A task that was written down: others refer to what it will return."""

    def __init__(self, key: str) -> None:
        self.key = key

    @property
    def values(self) -> V:
        """What the task returns; typed, and a reference at run time."""
        return cast(V, Reference(f"tasks.{self.key}.values"))

    @property
    def result(self) -> V:
        """What a Python function returns that is neither mapping nor model."""
        return cast(V, Reference(f"tasks.{self.key}.values.result"))

    @property
    def state(self) -> str:
        """How the task ended: `succeeded`, `failed`, `skipped`, …"""
        return Reference(f"tasks.{self.key}.state")

    def when(self, outcome: str) -> Dependency:
        """Depend on the task only where it ends with that outcome."""
        return Dependency(task_key=self.key, outcome=outcome)


Upstream = Handle[Any] | Dependency | str


class TaskBuilder:
    """A task of which the options are known; each method says what it does and writes it down."""

    def __init__(
        self,
        job: "JobBuilder",
        key: str,
        depends_on: Sequence[Upstream] | None,
        options: TaskOptions,
    ) -> None:
        self._job = job
        self._key = key
        self._depends_on = depends_on
        self._options = options

    @overload
    def operation(
        self,
        operation: Operation[InputT, ResultT],
        given: Callable[P, InputT],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Handle[ResultT]: ...

    @overload
    def operation(self, operation: str, given: dict[str, Any], /) -> Handle[Any]: ...

    def operation(self, operation: Any, given: Any, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Perform a group's operation; `given` is its input class, then the fields by name.

        An operation that this machine does not know goes by its name and a dict.
        """
        if args:
            raise TypeError("The fields of an operation's input are given by name.")
        name = operation if isinstance(operation, str) else operation.name
        values = given if isinstance(given, dict) else kwargs
        return self._write("operation_task", {"operation": name, "input": plain(values)})

    def python(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Handle[R]:
        """Call a function in a process of its own; it must be importable on the worker."""
        if args:
            raise TypeError("The parameters of a Python task are given by name.")
        spec = {"callable": _importable(function), "parameters": plain(kwargs)}
        self._job.functions[spec["callable"]] = function
        return self._write("python_task", _without_empty(spec))

    def condition(self, expression: bool | str, /) -> Handle[Any]:
        """Take the branch `true` or `false`; others depend on `handle.when("true")`."""
        return self._write("condition_task", {"expression": expression_of(expression)})

    def switch(
        self, on: Any, /, cases: Sequence[str], *, default: str | None = None
    ) -> Handle[Any]:
        """Take the branch that a value names; others depend on `handle.when("…")`."""
        spec: dict[str, Any] = {"on": plain(on), "cases": list(cases)}
        if default is not None:
            spec["default"] = default
        return self._write("switch_task", spec)

    def for_each(
        self,
        inputs: Sequence[T],
        body: Callable[["JobBuilder", T], None],
        /,
        **options: Unpack[LoopOptions],
    ) -> Handle[Any]:
        """Run the tasks that `body` writes once for each item; `item` is a reference to it."""
        place = f"{self._job.pointer}/{len(self._job.tasks)}/for_each_task/tasks"
        inside = self._job.inside(place)
        body(inside, cast(T, Reference("item")))
        spec = {"inputs": plain(inputs), **options, "tasks": inside.tasks}
        return self._write("for_each_task", spec)

    def noop(self) -> Handle[Any]:
        """Do nothing: a point where branches meet."""
        return self._write("noop_task", {})

    def of(self, part: Part, /) -> Handle[Any]:
        """Do what a part of the document says, such as `OperationTask(…)`."""
        return self._write(_KINDS[type(part)], plain(part))

    def _write(self, kind: str, spec: dict[str, Any]) -> Handle[Any]:
        task: dict[str, Any] = {"task_key": self._key}
        upstream = self._upstream(kind, spec)
        if upstream:
            task["depends_on"] = upstream
        task |= {name: plain(value) for name, value in self._options.items()}
        task[kind] = spec
        return self._job.add(task)

    def _upstream(self, kind: str, spec: dict[str, Any]) -> list[dict[str, Any]]:
        if self._depends_on is None:
            return [{"task_key": key} for key in self._read(kind, spec)]
        return [_dependency(item) for item in self._depends_on]

    def _read(self, kind: str, spec: dict[str, Any]) -> list[str]:
        """Return the tasks that the spec refers to, in the order in which they were written."""
        expressions = [*templates_in(spec), *templates_in(plain(dict(self._options)))]
        if kind == "condition_task":
            expressions.append(spec["expression"])
        try:
            paths = [reference.path for text in expressions for reference in check(text)]
        except InvalidInput:
            # The whole document's examination tells what is wrong, with its place.
            return []
        named = {path[1] for path in paths if path[0] == "tasks" and len(path) > 1}
        return [key for key in self._job.keys if key in named]


def _dependency(item: Upstream) -> dict[str, Any]:
    if isinstance(item, Dependency):
        return item.model_dump(mode="json", exclude_none=True)
    return {"task_key": item if isinstance(item, str) else item.key}


def _importable(function: Callable[..., Any]) -> str:
    name = getattr(function, "__qualname__", "")
    if not name or "<" in name:
        raise TypeError(f"{function!r} cannot be imported by a worker: define it in a module.")
    return f"{function.__module__}:{name}"


def _without_empty(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if value != {}}


def _parts() -> dict[type[Part], str]:
    """Return the kind of task that each part of the document describes."""
    found: dict[type[Part], str] = {}
    for kind in TASK_KINDS:
        (part, _) = get_args(Task.model_fields[kind].annotation)
        found[part] = kind
    return found


_KINDS = _parts()

__all__ = [
    "ConditionTask",
    "Handle",
    "NoopTask",
    "OperationTask",
    "PythonTask",
    "TaskBuilder",
    "TaskOptions",
    "Upstream",
]
