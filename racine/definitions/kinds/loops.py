"""Tasks that run a sub-graph of tasks many times."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from racine.definitions.kinds.loop_inputs import FileItems, SqlItems, unread_items
from racine.definitions.parts import TaskKind
from racine.errors import Fault
from racine.expressions import is_template

if TYPE_CHECKING:
    from racine.definitions.document import Task


class ForEachTask(TaskKind):
    """Runs its tasks once for each item; in there, `item` and `item_index` say which."""

    inputs: str | list[Any] | FileItems | SqlItems
    """A list, or a template that gives one; the rows of a file or a statement, which only the
    activities of its tasks read."""
    concurrency: int = Field(default=10, ge=1, le=100)
    batch_size: int | None = Field(default=None, ge=1, le=10_000)
    """With it, `item` is a list of so many items."""
    max_failed_percent: float = Field(default=0, ge=0, le=100)
    tasks: list["Task"] = Field(min_length=1)

    TEMPLATES: ClassVar = ("inputs",)
    VALUES: ClassVar = ("total", "succeeded", "failed", "failed_items")

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
        if isinstance(self.inputs, FileItems | SqlItems):
            yield from self.inputs.faults(f"{pointer}/inputs")
            yield from unread_items(self.tasks, f"{pointer}/tasks")
        elif not isinstance(self.inputs, list) and not is_template(self.inputs):
            yield Fault(
                f"{pointer}/inputs",
                f"{self.inputs!r} is no list.",
                "Give a list, or one template that gives a list.",
                "inputs",
            )
