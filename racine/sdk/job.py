"""Jobs as Python functions: `@racine.job` on a function that writes the tasks down."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Unpack

from pydantic import TypeAdapter

from racine.definitions import validation
from racine.definitions.document import JobDocument
from racine.errors import InvalidInput
from racine.sdk.options import JobOptions, TaskOptions
from racine.sdk.places import Place, caller, located
from racine.sdk.reference import Reference, plain
from racine.sdk.tasks import Handle, TaskBuilder, Upstream

if TYPE_CHECKING:
    from racine.sdk.local import LocalRun

P = ParamSpec("P")


@dataclass
class JobBuilder:
    """What a job's function writes into."""

    tasks: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    """Pointer into the document → the line that wrote it."""
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    pointer: str = "/tasks"
    """Where in the document these tasks stand."""
    after_failure: "JobBuilder | None" = None
    last: "JobBuilder | None" = None

    @property
    def on_failure(self) -> "JobBuilder":
        """Takes the tasks that run after the others when the run has failed."""
        self.after_failure = self.after_failure or self.inside("/on_failure")
        return self.after_failure

    @property
    def finally_(self) -> "JobBuilder":
        """Takes the tasks that run last, however the run ended."""
        self.last = self.last or self.inside("/finally")
        return self.last

    def inside(self, pointer: str) -> "JobBuilder":
        """Return a builder for another place of the same document."""
        return JobBuilder(places=self.places, functions=self.functions, pointer=pointer)

    @property
    def keys(self) -> list[str]:
        return [task["task_key"] for task in self.tasks]

    def task(
        self,
        key: str,
        /,
        *,
        depends_on: Sequence[Upstream] | None = None,
        **options: Unpack[TaskOptions],
    ) -> TaskBuilder:
        """Begin a task; the method called on what this returns says what it does.

        Without `depends_on` a task depends on those whose results it uses.
        """
        return TaskBuilder(self, key, depends_on, options)

    def parameter(self, name: str, /) -> Any:
        """Return a reference to a parameter of the run."""
        return Reference(f"params.{name}")

    def returns(self, **outputs: Any) -> None:
        """Say what the whole job returns."""
        self.outputs |= {name: plain(value) for name, value in outputs.items()}

    def add(self, task: dict[str, Any]) -> Handle[Any]:
        self.places[f"{self.pointer}/{len(self.tasks)}"] = caller()
        self.tasks.append(task)
        return Handle(task["task_key"])


@dataclass(frozen=True)
class JobDefinition(Generic[P]):
    """A job written in Python: its document, and a way to try it without a server."""

    function: Callable[Concatenate[JobBuilder, P], None]
    head: Mapping[str, Any]
    place: Place

    @property
    def name(self) -> str:
        return str(self.head["name"])

    @property
    def document(self) -> dict[str, Any]:
        """The job document; raises InvalidInput with the user's line before every fault."""
        return self._written[0] if self.typed else {}

    @cached_property
    def typed(self) -> JobDocument:
        """The document as a model; raises InvalidInput with the user's line before every fault."""
        document, builder = self._written
        try:
            return validation.validate(document)
        except InvalidInput as fault:
            faults = located(fault.faults, builder.places, self.place)
            listed = "\n".join(f"  {f.message} {f.next_step}".rstrip() for f in faults)
            raise InvalidInput(f"{fault.message}\n{listed}", faults=faults) from None

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """The functions of its Python tasks, by the name a worker imports them by."""
        return self._written[1].functions

    def test(
        self,
        parameters: Mapping[str, Any] | None = None,
        operations: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
        mocks: Mapping[str, Any] | None = None,
    ) -> "LocalRun":
        """Run the job here, without a server, through the engine's own scheduler.

        Pure operations and Python tasks really run, retried as their policies say; of any other
        operation `operations` says, by name, what it returns for its input. `mocks` goes before
        both: `{"tasks": {"each[3].clean": {"error": {"code": "ValueError"}}}}`. Waiting takes no
        time; an approval that nothing is said of is given.

        Raises InvalidInput for a job with faults, for parameters and mocks that do not fit, and for
        an operation that cannot run here.
        """
        from racine.sdk.local import run

        return run(self.typed, parameters or {}, operations or {}, self.functions, mocks)

    @cached_property
    def _written(self) -> tuple[dict[str, Any], JobBuilder]:
        builder = JobBuilder()
        own = _own_parameters(self.function)
        declared = [_declared(parameter) for parameter in own]
        references: Any = {p.name: builder.parameter(p.name) for p in own}
        write: Callable[..., None] = self.function
        write(builder, **references)
        document = {**self.head, "tasks": builder.tasks}
        if declared and "parameters" not in document:
            document["parameters"] = declared
        if builder.after_failure is not None:
            document["on_failure"] = builder.after_failure.tasks
        if builder.last is not None:
            document["finally"] = builder.last.tasks
        if builder.outputs:
            document["outputs"] = builder.outputs
        return document, builder


def job(
    name: str | None = None, **options: Unpack[JobOptions]
) -> Callable[[Callable[Concatenate[JobBuilder, P], None]], JobDefinition[P]]:
    """Make a function that writes tasks down into a job.

    Its parameters after the first are the job's: their annotations become JSON Schemas, those
    without a default are required. The name is the function's, the description its docstring.
    """

    def define(function: Callable[Concatenate[JobBuilder, P], None]) -> JobDefinition[P]:
        code = function.__code__
        head = {"spec_version": "1", "name": name or function.__name__, **plain(dict(options))}
        if "description" not in options and (words := _description(function)):
            head["description"] = words
        return JobDefinition(function, head, Place(code.co_filename, code.co_firstlineno))

    return define


def _description(function: Callable[..., Any]) -> str:
    return inspect.cleandoc(function.__doc__ or "")


def _own_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    signature = inspect.signature(function, eval_str=True)
    return list(signature.parameters.values())[1:]


def _declared(parameter: inspect.Parameter) -> dict[str, Any]:
    declared: dict[str, Any] = {"name": parameter.name}
    if parameter.annotation is not parameter.empty:
        declared["schema"] = TypeAdapter(parameter.annotation).json_schema()
    if parameter.default is parameter.empty:
        declared["required"] = True
    else:
        declared["default"] = plain(parameter.default)
    return declared
