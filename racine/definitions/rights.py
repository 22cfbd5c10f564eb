"""Which permissions a job's operations ask of the actor who runs it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from racine import registry
from racine.definitions.document import JobDocument, Task


def permissions_of(job: JobDocument) -> dict[str, list[str]]:
    """Return permissions in order, each with the names of the operations that ask for it.

    An operation that is not registered here is left out: its task fails where it is served.
    """
    asked = defaultdict[str, set[str]](set)
    known = registry.operations()
    for name in _operations(job.tasks):
        if name in known and known[name].permission:
            asked[known[name].permission].add(name)
    return {permission: sorted(asked[permission]) for permission in sorted(asked)}


def _operations(tasks: Sequence[Task]) -> Iterator[str]:
    for task in tasks:
        if task.operation_task is not None:
            yield task.operation_task.operation
        for work in task.works:
            yield from _operations(work.body())
