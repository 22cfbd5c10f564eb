"""What jobs say of themselves before they run: how long, and which other jobs they depend on."""

from collections import defaultdict
from statistics import median

from sqlalchemy.orm import Session

from models.stores import jobs, summaries
from racine.definitions.document import JobDocument
from racine.definitions.paths import Estimate, estimate
from racine.definitions.resources import ResourceDependency, resource_dependencies
from services import workflows
from services.access import Actor

_RUNS = 20
"""Past runs whose times count."""


def of_version(session: Session, actor: Actor, job_id: str, number: int) -> Estimate:
    """Return the longest way through a version's tasks, by the medians of the job's last runs."""
    version = workflows.version(session, actor, job_id, number)
    return estimate(JobDocument.model_validate(version.document), _measured(session, job_id))


def resource_ties(session: Session, actor: Actor, job_id: str) -> list[ResourceDependency]:
    """Return the dependencies of a job on others, and of others on it."""
    job = workflows.get(session, actor, job_id)
    documents = jobs.latest_documents(session, job.workspace_id)
    found = resource_dependencies(JobDocument.model_validate(one) for one in documents)
    return [item for item in found if job.name in (item.upstream_job, item.downstream_job)]


def _measured(session: Session, job_id: str) -> dict[str, float]:
    """Return the median seconds of each task, of the runs in which it ran."""
    keys: dict[int, list[str]] = {}
    times: dict[str, list[float]] = defaultdict(list)
    for run, summary in summaries.latest(session, job_id, _RUNS):
        if run.job_version not in keys:
            document = jobs.get_version(session, job_id, run.job_version).document
            parts = ("tasks", "on_failure", "finally")
            keys[run.job_version] = [t["task_key"] for p in parts for t in document.get(p, [])]
        if summary is not None:
            for key, taken in zip(keys[run.job_version], summary.durations, strict=True):
                times[key] += [] if taken is None else [taken / 1000]
    return {key: median(taken) for key, taken in times.items() if taken}
