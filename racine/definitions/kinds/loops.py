"""Tasks that run a sub-graph of tasks many times."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from racine.definitions.kinds.loop_inputs import FileItems, SqlItems, unread_items
from racine.definitions.parts import ANYTHING, COUNT, FLAG, TaskKind, Tries, Values
from racine.errors import Fault
from racine.expressions import is_template

_TAKEN = frozenset(
    "params tasks run item_index outer iteration error attempt true false null in as break const "
    "continue else for function if import let loop package namespace return var void while "
    "bool bytes double dyn duration int list map null_type string timestamp type uint".split()
)
"""Racine's own names, and those that CEL keeps for itself."""

if TYPE_CHECKING:
    from racine.definitions.document import Task


class ForEachTask(TaskKind):
    """Runs its tasks once for each item; in there, `item` and `item_index` say which.

    With `collect` the task's values have `results`: what it gave for each item, in their order,
    and null for those that failed.
    """

    inputs: str | list[Any] | FileItems | SqlItems
    """A list, or a template that gives one; the rows of a file or a statement, which only the
    activities of its tasks read."""
    concurrency: int = Field(default=10, ge=1, le=100)
    batch_size: int | None = Field(default=None, ge=1, le=10_000)
    """With it, `item` is a list of so many items."""
    max_failed_percent: float = Field(default=0, ge=0, le=100)
    item: str | None = None
    """A name of its own for the item, beside `item`; loops inside see it too."""
    collect: str | None = None
    """A template over the tasks of one iteration."""
    tasks: list["Task"] = Field(min_length=1)

    TEMPLATES: ClassVar = ("inputs",)
    RESULTS: ClassVar = ("collect",)

    @property
    def tries(self) -> Tries:
        return Tries.WHOLE

    def values(self) -> Values:
        items = {"type": "array", "items": COUNT}
        found = {"total": COUNT, "succeeded": COUNT, "failed": COUNT, "failed_items": items}
        return {**found, "results": {"type": "array"}} if self.collect is not None else found

    def variables(self) -> list[str]:
        return ["item", "item_index", "outer", *([self.item] if self.item else [])]

    @property
    def seconds(self) -> float | None:
        return self.inputs.timeout_seconds + 60 if isinstance(self.inputs, SqlItems) else None

    def asks(self) -> dict[str, str]:
        by_reference = isinstance(self.inputs, FileItems | SqlItems)
        return {"data_sources:run": "for_each_task"} if by_reference else {}

    def templated(self) -> Mapping[str, Any]:
        if isinstance(self.inputs, FileItems | SqlItems):
            return {**super().templated(), "inputs": self.inputs.templated()}
        return super().templated()

    def faults(self, pointer: str) -> Iterator[Fault]:
        yield from _unheard(self.tasks, f"{pointer}/tasks")
        if self.item is not None and (not self.item.isidentifier() or self.item in _TAKEN):
            yield Fault(f"{pointer}/item", f"{self.item!r} cannot be the name of an item.",
                        "Take a name of letters that CEL has no use for.", "item")  # fmt: skip
        if isinstance(self.inputs, FileItems | SqlItems):
            yield from self.inputs.faults(f"{pointer}/inputs")
            names = ["item", "outer", *([self.item] if self.item else [])]
            yield from unread_items(self.tasks, f"{pointer}/tasks", names)
        elif not isinstance(self.inputs, list) and not is_template(self.inputs):
            yield Fault(
                f"{pointer}/inputs",
                f"{self.inputs!r} is no list.",
                "Give a list, or one template that gives a list.",
                "inputs",
            )


def _unheard(tasks: Sequence["Task"], pointer: str) -> Iterator[Fault]:
    """Yield the waits for signals in a loop: a signal has a name, and no item."""
    for number, task in enumerate(tasks):
        if task.wait_task is not None and task.wait_task.signal is not None:
            yield Fault(f"{pointer}/{number}/wait_task/signal",
                        "Iterations cannot be told apart by a signal.",
                        "Wait for it before or after the loop, or in a while_task.",
                        "signal")  # fmt: skip
        for kind, work in task.by_kind.items():
            yield from _unheard(work.inner(), f"{pointer}/{number}/{kind}/tasks")


class WhileTask(TaskKind):
    """Runs its tasks again and again, for as long as its condition holds after an iteration.

    In its tasks and its condition `iteration` is the number of the iteration, from 0. Its values
    are `iterations`, how many there were; `exhausted`, whether it was stopped by
    `max_iterations`; and with `collect` `result`, what the last one gave. An iteration that
    fails, fails the task.
    """

    condition: str
    """CEL over the tasks of the iteration that has just ended."""
    max_iterations: int = Field(default=1000, ge=1, le=1_000_000)
    delay_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    """Between the end of an iteration and the start of the next."""
    on_exhausted: Literal["FAIL", "CONTINUE"] = "FAIL"
    """What it means that the condition still holds after `max_iterations`."""
    collect: str | None = None
    """A template over the tasks of the last iteration."""
    tasks: list["Task"] = Field(min_length=1)

    RESULTS: ClassVar = ("condition", "collect")

    @property
    def tries(self) -> Tries:
        return Tries.WHOLE

    def values(self) -> Values:
        found = {"iterations": COUNT, "exhausted": FLAG}
        return {**found, "result": ANYTHING} if self.collect is not None else found

    def variables(self) -> list[str]:
        return ["iteration"]
