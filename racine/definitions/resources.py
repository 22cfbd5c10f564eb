"""What one job's tasks write and another's read: the dependencies between jobs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from racine.definitions.document import JobDocument
from racine.definitions.every_task import every_task


@dataclass(frozen=True, order=True)
class ResourceDependency:
    """One job's task reads what another job's task writes."""

    resource: str
    upstream_job: str
    upstream_task: str
    downstream_job: str
    downstream_task: str


def resource_dependencies(documents: Iterable[JobDocument]) -> list[ResourceDependency]:
    """Return every pair of an outlet and an inlet of one name in different jobs, in order."""
    known = list(documents)
    written = _places(known, "outlets")
    read = _places(known, "inlets")
    return sorted(_pairs(written, read))


def _places(documents: list[JobDocument], name: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for document in documents:
        for item in every_task(document):
            for resource in getattr(item.task, name):
                found.setdefault(resource, []).append((document.name, item.task.task_key))
    return found


def _pairs(
    written: Mapping[str, list[tuple[str, str]]], read: Mapping[str, list[tuple[str, str]]]
) -> Iterator[ResourceDependency]:
    for resource, writers in written.items():
        for upstream in writers:
            for downstream in read.get(resource, []):
                if upstream[0] != downstream[0]:
                    yield ResourceDependency(resource, *upstream, *downstream)
