"""Writes a document as Python that makes the same document: one typed call for each task."""

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel

from racine.definitions.document import (
    ApprovalTask,
    ConditionTask,
    Dependency,
    ForEachTask,
    HttpTask,
    JobDocument,
    NoopTask,
    NotifyTask,
    OperationTask,
    PythonTask,
    QualityTask,
    RunJobTask,
    SqlTask,
    SwitchTask,
    Task,
    TaskKind,
    WaitTask,
    WhileTask,
)
from racine.definitions.every_task import every_task
from racine.sdk.layout import Chain, Group, Node, call, laid_out, literal, mapping, sequence, text
from racine.sdk.options import JobOptions

_TAKEN = frozenset({"Any", "item", "job", "racine"})
_FROM_TASK = re.compile(r"\{\{ tasks\.(\w+)\.values((?:\.\w+)*) \}\}")
_PARAMETER = re.compile(r"\{\{ params\.(\w+) \}\}")


def python_of(document: JobDocument) -> str:
    """Return the source of a module with the job; running it makes the same document.

    What the document says at length though it goes without saying, as an empty list or a null, is
    left out.
    """
    writer = _Writer({found.task.task_key for found in every_task(document)})
    body = writer.tasks("job", document.tasks, 4)
    for builder, tasks in (("job.on_failure", document.on_failure),
                           ("job.finally_", document.finally_)):  # fmt: skip
        body += writer.tasks(builder, tasks, 4)
    if document.outputs:
        outputs = {name: writer.value(value) for name, value in document.outputs.items()}
        body.append(_Line(_returns(outputs)))
    statements = "\n".join(line.written(writer.read) for line in body)
    imports = ["from typing import Any\n"] if writer.loops else []
    head = laid_out(_decorator(document))
    name = _identifier(document.name.replace("-", "_").replace(".", "_"))
    return "\n".join(
        [f'"""The job {document.name}, generated from its document."""\n', *imports,
         "import racine\n\n", head, f"def {name}(job: racine.JobBuilder) -> None:", statements, ""]
    )  # fmt: skip


@dataclass(frozen=True)
class _Line:
    """A statement; its value is kept under a name where a later one reads it."""

    node: Node
    key: str = ""
    name: str = ""
    indent: int = 4

    def written(self, read: set[str]) -> str:
        before = f"{self.name} = " if self.key in read else ""
        return laid_out(self.node, before, self.indent)


@dataclass
class _Writer:
    """What is known while tasks are written, in the order in which they stand."""

    keys: set[str] = field(default_factory=set)
    """Those of all tasks, at every level."""
    names: dict[str, str] = field(default_factory=dict)
    """Tasks that were written before and can be seen from here: key → variable."""
    read: set[str] = field(default_factory=set)
    """Keys of tasks that a later one refers to by its variable."""
    loops: bool = False
    inside: bool = True
    """Whether what is written stands in the job's function, where `job` is known."""

    def tasks(self, builder: str, tasks: Sequence[Task], indent: int) -> list[_Line]:
        return [line for task in tasks for line in self.task(builder, task, indent)]

    def task(self, builder: str, task: Task, indent: int) -> Iterator[_Line]:
        work = task.works[0]
        name = _identifier(task.task_key)
        function, undo = self.function(f"{name}_body"), ""
        if body := work.inner():
            self.loops = True
            yield from self.inner(f"{function}(job: racine.JobBuilder, item: Any)", body, indent)
        if task.compensate_with:
            undo = self.function(f"undo_{name}")
            yield from self.inner(f"{undo}(job: racine.JobBuilder)", task.compensate_with, indent)
        chain = Chain([self.begin(builder, task, undo), self.work(work, function)])
        yield _Line(chain, task.task_key, name, indent)
        self.names[task.task_key] = name

    def inner(self, head: str, tasks: Sequence[Task], indent: int) -> Iterator[_Line]:
        """Write the function of the tasks inside a task."""
        yield _Line(f"\n{' ' * indent}def {head} -> None:", indent=0)
        seen = dict(self.names)
        yield from self.tasks("job", tasks, indent + 4)
        self.names = seen
        yield _Line("", indent=0)

    def function(self, name: str) -> str:
        """Return a name for a function, such as no task has."""
        while name in self.keys:
            name += "_"
        return name

    def begin(self, builder: str, task: Task, undo: str) -> Group:
        options: dict[str, Node] = {}
        if "depends_on" in task.model_fields_set:
            options["depends_on"] = sequence([self.upstream(edge) for edge in task.depends_on])
        leave = ("task_key", "depends_on", "compensate_with", *task.kinds)
        options |= self.fields(task, leave=leave)
        if undo:
            options["compensate_with"] = undo
        return call(f"{builder}.task", text(task.task_key), **options)

    def upstream(self, edge: Dependency) -> Node:
        outcome = edge.outcome
        if edge.task_key not in self.names:
            return text(edge.task_key) if outcome is None else self.part(edge)
        self.read.add(edge.task_key)
        variable = self.names[edge.task_key]
        return variable if outcome is None else f"{variable}.when({text(outcome)})"

    def work(self, work: TaskKind, body: str) -> Group:
        """Return the call that says what a task does."""
        if isinstance(work, ForEachTask):
            options = self.fields(work, leave=("inputs", "tasks"))
            return call(".for_each", self.value(work.inputs), body, **options)
        if isinstance(work, WhileTask):
            options = self.fields(work, leave=("condition", "tasks"))
            return call(".while_", self.value(work.condition), body, **options)
        if isinstance(work, WaitTask):
            return self.wait(work)
        method, places = _CALLS[type(work)]
        given = [self.value(getattr(work, name)) for name in places if _is_said(work, name)]
        return call(f".{method}", *given, **self.fields(work, leave=places))

    def wait(self, work: WaitTask) -> Group:
        """Return the call for what is waited for; words that go with another are kept."""
        for name, method in _WAITS.items():
            said = self.fields(work, leave=(name,))
            if _is_said(work, name) and (name == "signal" or not said):
                return call(f".{method}", self.value(getattr(work, name)), **said)
        return call(".of", self.part(work))

    def part(self, part: BaseModel) -> Group:
        return call(f"racine.{type(part).__name__}", **self.fields(part))

    def fields(self, part: BaseModel, leave: Sequence[str] = ()) -> dict[str, Node]:
        """Return the fields that were given, by the names by which a call takes them."""
        return {
            info.alias or name: self.value(getattr(part, name))
            for name, info in type(part).model_fields.items()
            if name not in leave and _is_said(part, name)
        }

    def value(self, value: Any) -> Node:
        if isinstance(value, Enum):
            return f"racine.{type(value).__name__}.{value.name}"
        if isinstance(value, BaseModel):
            return self.part(value)
        if isinstance(value, Mapping):
            return mapping({key: self.value(item) for key, item in value.items()})
        if isinstance(value, list):
            return sequence([self.value(item) for item in value])
        return self.reference(value) if isinstance(value, str) else literal(value)

    def reference(self, words: str) -> str:
        """Return a string; one that is a task's value alone as that value of its variable."""
        found = _FROM_TASK.fullmatch(words)
        if found and found[1] in self.names:
            fields = found[2].split(".")[1:]
            if not any(map(keyword.iskeyword, fields)) and words.isascii():
                self.read.add(found[1])
                return f"{self.names[found[1]]}.values" + "".join(f'["{f}"]' for f in fields)
        if self.inside and (parameter := _PARAMETER.fullmatch(words)) and words.isascii():
            return f'job.parameter("{parameter[1]}")'
        return text(words)


_CALLS: dict[type[TaskKind], tuple[str, tuple[str, ...]]] = {
    ApprovalTask: ("approval", ("prompt",)),
    ConditionTask: ("condition", ("expression",)),
    HttpTask: ("http", ("url",)),
    NoopTask: ("noop", ()),
    NotifyTask: ("notify", ("subject",)),
    OperationTask: ("operation", ("operation", "input")),
    PythonTask: ("python", ("callable", "parameters")),
    QualityTask: ("quality", ("checks",)),
    RunJobTask: ("run_job", ("job", "job_parameters")),
    SqlTask: ("sql", ("source", "statement")),
    SwitchTask: ("switch", ("on", "cases")),
}
"""The builder's method for a kind, and the fields that it takes by place; the rest go by name."""


_WAITS = {
    "duration_seconds": "wait_for",
    "until": "wait_until",
    "signal": "wait_for_signal",
}


def _decorator(document: JobDocument) -> Group:
    writer = _Writer(inside=False)
    leave = set(JobDocument.model_fields) - set(JobOptions.__annotations__)
    options = writer.fields(document, leave=[*leave])
    return call("@racine.job", text(document.name), **options)


def _returns(outputs: dict[str, Node]) -> Group:
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in outputs):
        return call("job.returns", **outputs)
    return Group("job.returns(", [("**", mapping(outputs))], ")")


def _is_said(part: BaseModel, name: str) -> bool:
    """Tell whether a field was given and says something that its absence would not."""
    value = getattr(part, name)
    if name not in part.model_fields_set or value is None:
        return False
    empty = value in ({}, [], "") and not isinstance(value, bool)
    info = type(part).model_fields[name]
    return not (empty and value == info.get_default(call_default_factory=True))


def _identifier(name: str) -> str:
    sound = name if name.isidentifier() else f"job_{name}"
    return f"{sound}_" if keyword.iskeyword(sound) or sound in _TAKEN else sound
