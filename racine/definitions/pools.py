"""Pools by name: what tasks share, and what one source may bear."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import StringConstraints

if TYPE_CHECKING:
    from racine.definitions.document import JobDocument, Task

SOURCE_PREFIX = "source:"

PoolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,89}$")]
"""What a task may name; the pools of sources are found by what the task does."""


def of_source(source_id: str) -> str:
    """Return the name of the pool that says what may be done with a source at a time."""
    return f"{SOURCE_PREFIX}{source_id}"


class PoolUse(NamedTuple):
    """A task that names a pool, by its JSON pointer."""

    pointer: str
    pool: str
    slots: int


def pool_uses(document: "JobDocument") -> list[PoolUse]:
    """Return every use of a pool in a job, those in the bodies of its loops too."""
    levels = (("tasks", document.tasks), ("on_failure", document.on_failure),
              ("finally", document.finally_))  # fmt: skip
    return [use for part, tasks in levels for use in _uses(f"/{part}", tasks)]


def _uses(pointer: str, tasks: "Sequence[Task]") -> Iterator[PoolUse]:
    for number, task in enumerate(tasks):
        place = f"{pointer}/{number}"
        if task.pool is not None:
            yield PoolUse(place, task.pool, task.pool_slots)
        for kind, work in task.by_kind.items():
            yield from _uses(f"{place}/{kind}/tasks", work.inner())
