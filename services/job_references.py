"""What a job says about other jobs: whether they are there, take what it gives, and end."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from models.stores import jobs
from racine.definitions.document import JobDocument, RunJobTask
from racine.definitions.parameters import bind_faults
from racine.definitions.scope import all_tasks
from racine.errors import Fault

_MAX_WALK = 200
"""Jobs that are looked at for a cycle; a longer chain stops at the depth that runs may have."""


def faults(session: Session, workspace_id: str, document: JobDocument) -> Iterator[Fault]:
    """Yield what is wrong with the tasks that run other jobs, as the workspace knows those now."""
    for pointer, spec in _asked(document):
        if spec.job == document.name:
            yield Fault(f"{pointer}/job", f"The job {spec.job!r} starts itself.",
                        "Use a while_task or a for_each_task.", "job_cycle")  # fmt: skip
            continue
        other = _document(session, workspace_id, spec)
        if other is None:
            yield _unknown(session, workspace_id, pointer, spec)
            continue
        for fault in bind_faults(other.parameters, spec.job_parameters):
            place = fault.pointer.replace("/parameters", "/job_parameters", 1)
            yield Fault(f"{pointer}{place}", f"Job {spec.job!r}: {fault.message}",
                        fault.next_step, fault.code)  # fmt: skip
        if way := _way_back(session, workspace_id, other, document.name):
            around = " → ".join([document.name, *way])
            yield Fault(f"{pointer}/job", f"These jobs start each other: {around}.",
                        "Let one of them not start the next.", "job_cycle")  # fmt: skip


def _unknown(session: Session, workspace_id: str, pointer: str, spec: RunJobTask) -> Fault:
    job = jobs.find(session, workspace_id, spec.job)
    if job is None or job.archived:
        return Fault(f"{pointer}/job", f"There is no job {spec.job!r} in this workspace.",
                     "Save that job first.", "unknown_job")  # fmt: skip
    return Fault(f"{pointer}/version", f"Job {spec.job!r} has no version {spec.version}.",
                 f"It has versions 1 to {job.version}.", "unknown_version")  # fmt: skip


def _document(session: Session, workspace_id: str, spec: RunJobTask) -> JobDocument | None:
    """Return the document of the version that a task would run now."""
    job = jobs.find(session, workspace_id, spec.job)
    if job is None or job.archived:
        return None
    number = spec.version if isinstance(spec.version, int) else job.version
    if number > job.version:
        return None
    return JobDocument.model_validate(jobs.get_version(session, job.id, number).document)


def _way_back(
    session: Session, workspace_id: str, start: JobDocument, goal: str
) -> list[str] | None:
    """Return the jobs from `start` to the goal, breadth first; None when it is out of reach."""
    open_: list[tuple[JobDocument, list[str]]] = [(start, [start.name])]
    seen = {start.name}
    while open_ and len(seen) < _MAX_WALK:
        document, way = open_.pop(0)
        for _, spec in _asked(document):
            if spec.job == goal:
                return [*way, goal]
            if spec.job in seen:
                continue
            seen.add(spec.job)
            if (found := _document(session, workspace_id, spec)) is not None:
                open_.append((found, [*way, spec.job]))
    return None


def _asked(document: JobDocument) -> Iterator[tuple[str, RunJobTask]]:
    for placed in all_tasks(document):
        if placed.task.run_job_task is not None:
            yield f"{placed.pointer}/run_job_task", placed.task.run_job_task
