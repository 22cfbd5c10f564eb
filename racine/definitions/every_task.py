"""Every task of a document, whatever holds it: the job, a loop's body, what comes after."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from racine.definitions.document import JobDocument, Task


@dataclass(frozen=True)
class Found:
    task: Task
    pointer: str
    level: str
    """`tasks`, `on_failure`, `finally`, or the key of the task whose body this is."""


def every_task(document: JobDocument) -> Iterator[Found]:
    """Yield the tasks in the order in which they stand, bodies after the task that holds them."""
    return _below(document, "", "")


def _below(part: BaseModel, pointer: str, owner: str) -> Iterator[Found]:
    for name, info in type(part).model_fields.items():
        value, place = getattr(part, name), f"{pointer}/{info.alias or name}"
        if isinstance(value, list) and value and isinstance(value[0], Task):
            for number, task in enumerate(value):
                yield from _with_body(Found(task, f"{place}/{number}", owner or info.alias or name))
        elif isinstance(value, Task):
            yield from _with_body(Found(value, place, owner))
        elif isinstance(value, BaseModel):
            yield from _below(value, place, owner)


def _with_body(found: Found) -> Iterator[Found]:
    yield found
    yield from _below(found.task, found.pointer, found.task.task_key)
