"""One task of a job: its options first, then one typed call that says what it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    ParamSpec,
    TypeVar,
    Unpack,
    cast,
    get_args,
    overload,
)

from pydantic import TypeAdapter

from racine.definitions.document import (
    TASK_KINDS,
    Check,
    Dependency,
    FileItems,
    SqlItems,
    Task,
    TaskKind,
)
from racine.errors import InvalidInput
from racine.expressions import references, templates_in
from racine.group import InputT, Operation, ResultT
from racine.sdk.options import (
    ApprovalOptions,
    HttpOptions,
    LoopOptions,
    NotifyOptions,
    QualityOptions,
    RunJobOptions,
    SignalOptions,
    SignalTimes,
    SqlOptions,
    TaskOptions,
    WhileOptions,
)
from racine.sdk.reference import Reference, expression_of, plain

if TYPE_CHECKING:
    from racine.sdk.job import JobBuilder, JobDefinition

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
V = TypeVar("V")


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


class Received(Generic[V]):
    """What a task that waited for a signal gives: typed, and a reference at run time."""

    payload: V
    received: bool
    """False where the time limit passed and the task goes on."""


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
    def operation(
        self, operation: str, given: Mapping[str, Any] | None = None, /
    ) -> Handle[Any]: ...

    def operation(
        self, operation: Any, given: Any = None, /, *args: Any, **kwargs: Any
    ) -> Handle[Any]:
        """Perform a group's operation; `given` is its input class, then the fields by name.

        An operation that this machine does not know goes by its name and a dict.
        """
        if args:
            raise TypeError("The fields of an operation's input are given by name.")
        if isinstance(operation, str):
            return self._write("operation_task", _named("operation", operation, "input", given))
        return self._write("operation_task", {"operation": operation.name, "input": plain(kwargs)})

    @overload
    def python(
        self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs
    ) -> Handle[R]: ...

    @overload
    def python(
        self, function: str, parameters: Mapping[str, Any] | None = None, /
    ) -> Handle[Any]: ...

    def python(
        self, function: Any, parameters: Any = None, /, *args: Any, **kwargs: Any
    ) -> Handle[Any]:
        """Call a function in a process of its own; it must be importable on the worker.

        A function that this machine does not have goes by `module:name` and a mapping.
        """
        if isinstance(function, str):
            named = _named("callable", function, "parameters", parameters)
            return self._write("python_task", named)
        if args or parameters is not None:
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

    @overload
    def for_each(
        self,
        inputs: Sequence[T],
        body: Callable[["JobBuilder", T], None],
        /,
        **options: Unpack[LoopOptions],
    ) -> Handle[Any]: ...

    @overload
    def for_each(
        self,
        inputs: FileItems | SqlItems,
        body: Callable[["JobBuilder", Any], None],
        /,
        **options: Unpack[LoopOptions],
    ) -> Handle[Any]: ...

    def for_each(
        self, inputs: Any, body: Callable[["JobBuilder", Any], None], /, **options: Any
    ) -> Handle[Any]:
        """Run the tasks that `body` writes once for each item; `item` is a reference to it."""
        place = f"{self._job.pointer}/{len(self._job.tasks)}/for_each_task/tasks"
        inside = self._job.inside(place)
        body(inside, Reference("item"))
        spec = {"inputs": plain(inputs), **options, "tasks": inside.tasks}
        return self._write("for_each_task", spec)

    def while_(
        self,
        condition: str,
        body: Callable[["JobBuilder", int], None],
        /,
        **options: Unpack[WhileOptions],
    ) -> Handle[Any]:
        """Run the tasks that `body` writes again while a condition over them holds.

        The second thing that `body` is given is a reference to the iteration's number.
        """
        place = f"{self._job.pointer}/{len(self._job.tasks)}/while_task/tasks"
        inside = self._job.inside(place)
        body(inside, cast(int, Reference("iteration")))
        return self._write("while_task", {"condition": condition, **options, "tasks": inside.tasks})

    def wait_for(self, seconds: float, /) -> Handle[Any]:
        """Wait so long; no worker is held."""
        return self._write("wait_task", {"duration_seconds": plain(seconds)})

    def wait_until(self, moment: str, /) -> Handle[Any]:
        """Wait until a moment: ISO 8601 with its offset, or a reference to one."""
        return self._write("wait_task", {"until": plain(moment)})

    @overload
    def wait_for_signal(
        self, name: str, payload: type[T], /, **options: Unpack[SignalTimes]
    ) -> Handle[Received[T]]: ...

    @overload
    def wait_for_signal(self, name: str, /, **options: Unpack[SignalOptions]) -> Handle[Any]: ...

    def wait_for_signal(self, name: str, payload: Any = None, /, **options: Any) -> Handle[Any]:
        """Wait for a signal from outside; `racine runs signal RUN NAME` gives it.

        `payload` is the type of what it must bring; one that does not fit is refused.
        """
        if payload is not None:
            options["payload_schema"] = TypeAdapter(payload).json_schema()
        return self._write("wait_task", plain({"signal": name, **options}))

    def approval(self, prompt: str = "", /, **options: Unpack[ApprovalOptions]) -> Handle[Any]:
        """Ask people; others depend on `handle.when("approved")`."""
        asked = {"prompt": plain(prompt)} if prompt else {}
        return self._write("approval_task", asked | plain(dict(options)))

    def run_job(
        self,
        job: "JobDefinition[Any] | str",
        parameters: Mapping[str, Any] | None = None,
        /,
        **options: Unpack[RunJobOptions],
    ) -> Handle[Any]:
        """Run another job of the workspace; what it returns are this task's values."""
        name = job if isinstance(job, str) else job.name
        spec = _named("job", name, "job_parameters", parameters)
        return self._write("run_job_task", spec | plain(dict(options)))

    def sql(
        self,
        source: str,
        statement: str | Sequence[str],
        /,
        **options: Unpack[SqlOptions],
    ) -> Handle[Any]:
        """Run statements on a registered source; values go in as `:name`, from `parameters`."""
        spec = {"source": source, "statement": statement, **options}
        return self._write("sql_task", plain(spec))

    def http(self, url: str, /, **options: Unpack[HttpOptions]) -> Handle[Any]:
        """Send one HTTP request; `values_from` names values of the answer."""
        return self._write("http_task", plain({"url": url, **options}))

    def quality(self, checks: Sequence[Check], /, **options: Unpack[QualityOptions]) -> Handle[Any]:
        """Check what a scan found; others may depend on `handle.when("passed")`."""
        return self._write("quality_task", plain({"checks": checks, **options}))

    def notify(self, subject: str, /, **options: Unpack[NotifyOptions]) -> Handle[Any]:
        """Leave a notification in the workspace's inbox."""
        return self._write("notify_task", plain({"subject": subject, **options}))

    def noop(self) -> Handle[Any]:
        """Do nothing: a point where branches meet."""
        return self._write("noop_task", {})

    def of(self, part: TaskKind, /) -> Handle[Any]:
        """Do what a part of the document says, such as `OperationTask(…)`."""
        return self._write(_KINDS[type(part)], plain(part))

    def _write(self, kind: str, spec: dict[str, Any]) -> Handle[Any]:
        task: dict[str, Any] = {"task_key": self._key}
        undo = self._options.pop("compensate_with", None)
        task |= {name: plain(value) for name, value in self._options.items()}
        if "condition" in task:
            task["condition"] = expression_of(self._options["condition"])
        task[kind] = spec
        if undo is not None:
            place = f"{self._job.pointer}/{len(self._job.tasks)}/compensate_with"
            inside = self._job.inside(place)
            undo(inside)
            task["compensate_with"] = inside.tasks
        if self._depends_on is not None:
            task["depends_on"] = [_dependency(item) for item in self._depends_on]
        elif read := self._read(task):
            task["depends_on"] = [{"task_key": key} for key in read]
        return self._job.add(task)

    def _read(self, task: dict[str, Any]) -> list[str]:
        """Return the tasks that one refers to, in the order in which they were written."""
        paths = [path for text in _expressions(task) for path in _paths(text)]
        named = {path[1] for path in paths if path[0] == "tasks" and len(path) > 1}
        return [key for key in self._job.keys if key in named]


def _dependency(item: Upstream) -> dict[str, Any]:
    if isinstance(item, Dependency):
        return item.model_dump(mode="json", exclude_unset=True)
    return {"task_key": item if isinstance(item, str) else item.key}


def _importable(function: Callable[..., Any]) -> str:
    name = getattr(function, "__qualname__", "")
    if not name or "<" in name:
        raise TypeError(f"{function!r} cannot be imported by a worker: define it in a module.")
    return f"{function.__module__}:{name}"


def _named(what: str, name: str, how: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    return {what: name} if given is None else {what: name, how: plain(given)}


def _expressions(task: dict[str, Any]) -> Iterator[str]:
    """Yield the expressions of a task as it was written, of those in its body too."""
    yield from templates_in(task)
    if condition := task.get("condition"):
        yield condition
    for part, kind in _KINDS.items():
        spec = task.get(kind, {})
        yield from (spec[name] for name in (*part.CONDITIONS, *part.RESULTS) if spec.get(name))
        for inner in spec.get("tasks", []):
            yield from _expressions(inner)
    for inner in task.get("compensate_with", []):
        yield from _expressions(inner)


def _paths(expression: str) -> list[tuple[str, ...]]:
    try:
        return [reference.path for reference in references(expression)]
    except InvalidInput:
        # The whole document's examination tells what is wrong, with its place.
        return []


def _without_empty(spec: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if value != {}}


def _parts() -> dict[type[TaskKind], str]:
    """Return the kind of task that each part of the document describes."""
    found: dict[type[TaskKind], str] = {}
    for kind in TASK_KINDS:
        (part, _) = get_args(Task.model_fields[kind].annotation)
        found[part] = kind
    return found


_KINDS = _parts()
