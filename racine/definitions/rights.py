"""Which permissions a job's operations ask of the actor who runs it."""

from collections import defaultdict

from racine import registry
from racine.definitions.document import JobDocument
from racine.definitions.scope import all_tasks


def permissions_of(job: JobDocument) -> dict[str, list[str]]:
    """Return permissions in order, each with the operations and kinds of task that ask for it.

    An operation that is not registered here is left out: its task fails where it is served.
    """
    asked = defaultdict[str, set[str]](set)
    known = registry.operations()
    for task in (placed.task for placed in all_tasks(job)):
        name = task.operation_task.operation if task.operation_task else ""
        if name in known and known[name].permission:
            asked[known[name].permission].add(name)
        for permission, kind in (pair for work in task.works for pair in work.asks().items()):
            asked[permission].add(kind)
    return {permission: sorted(asked[permission]) for permission in sorted(asked)}
