"""Job definitions: their documents, versions and faults."""

from typing import Any

from sqlalchemy.orm import Session

from models.stores import bundles, jobs, schedules
from models.stores.jobs import Job as Job
from models.stores.jobs import JobVersion as JobVersion
from models.stores.paging import Page
from racine import templates as shipped
from racine.definitions import validation
from racine.definitions.diff import Change, diff
from racine.definitions.document import JobDocument
from racine.definitions.validation import Report
from racine.errors import Conflict, Fault, InvalidInput, NotFound, PreconditionFailed
from racine.sdk.generated import python_of
from racine.simulation.running import Simulation, simulate
from services import access, audit, job_references, pools
from services.access import Actor


def examine(session: Session, actor: Actor, document: dict[str, Any]) -> Report:
    """Return everything that is wrong with a document, and hints; nothing is stored."""
    access.require(session, actor, "workflows:read")
    report = validation.examine(document)
    if report.document is not None:
        report.faults += pools.use_faults(session, actor.workspace_id, report.document)
        report.faults += job_references.faults(session, actor.workspace_id, report.document)
        missing = access.missing_rights(session, actor, report.document)
        report.hints += [_lacking(actor, *found) for found in missing.items()]
    return report


def templates(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """Return the documents that ship with Racine, by name."""
    access.require(session, actor, "workflows:read")
    return [shipped.load(name) for name in shipped.names()]


def create(session: Session, actor: Actor, document: dict[str, Any]) -> Job:
    """Store a new job; raise Conflict when the workspace has one of that name."""
    access.require(session, actor, "workflows:write")
    stored = _canonical(session, actor, document)
    existing = jobs.find(session, actor.workspace_id, stored["name"])
    if existing is not None and not existing.archived:
        raise Conflict(
            f"The workspace has a job named {existing.name!r}.",
            next_step=f"PUT /api/racine/workflows/{existing.id} makes its next version.",
            details={"id": existing.id},
        )
    job = jobs.save(session, actor.workspace_id, stored, actor.id)
    audit.record(session, actor, "job.create", job.id, after=_summary(job))
    return job


def replace(
    session: Session, actor: Actor, job_id: str, document: dict[str, Any], version: int
) -> Job:
    """Make a document the job's next version; the same content again changes nothing.

    Raises PreconditionFailed when the job is not at `version`, InvalidInput for another name.
    """
    access.require(session, actor, "workflows:write")
    job = get(session, actor, job_id)
    stored = _canonical(session, actor, document)
    if stored["name"] != job.name:
        fault = Fault("/name", f"The job's name is {job.name!r} and stays so.", code="name")
        raise InvalidInput("A job cannot be renamed.", faults=[fault])
    _at_version(job, version)
    before = _summary(job)
    saved = jobs.save(session, actor.workspace_id, stored, actor.id)
    if saved.version != before["version"]:
        audit.record(session, actor, "job.replace", job.id, before=before, after=_summary(saved))
    return saved


def roll_back(session: Session, actor: Actor, job_id: str, to: int, expected: int) -> Job:
    """Make the document of version `to` the job's next version; none is lost.

    Raises as `replace` does, where `expected` is the job's version: what an old one needs may be
    gone.
    """
    document = version(session, actor, job_id, to).document
    return replace(session, actor, job_id, document, expected)


def archive(session: Session, actor: Actor, job_id: str, version: int) -> None:
    """Take a job out of lists and schedules; its versions and runs stay."""
    access.require(session, actor, "workflows:write")
    job = get(session, actor, job_id)
    _at_version(job, version)
    job.archived = True
    schedules.delete_of_job(session, job.id)
    audit.record(session, actor, "job.archive", job.id, before=_summary(job))


def get(session: Session, actor: Actor, job_id: str) -> Job:
    """Return the job; raise NotFound also for one of another workspace."""
    access.require(session, actor, "workflows:read")
    job = jobs.get(session, job_id)
    access.same_workspace(actor, job.workspace_id, f"job {job_id!r}")
    if job.archived:
        raise NotFound(f"Job {job_id!r} is archived.", next_step="Saving its name brings it back.")
    return job


def listed(
    session: Session, actor: Actor, *, name: str | None, limit: int, cursor: str | None
) -> Page[Job]:
    access.require(session, actor, "workflows:read")
    return jobs.listed(session, actor.workspace_id, name=name, limit=limit, cursor=cursor)


def version(session: Session, actor: Actor, job_id: str, number: int | None = None) -> JobVersion:
    """Return a version of a job, the latest without a number."""
    job = get(session, actor, job_id)
    return jobs.get_version(session, job.id, number or job.version)


def versions(
    session: Session, actor: Actor, job_id: str, *, limit: int, cursor: str | None
) -> Page[JobVersion]:
    job = get(session, actor, job_id)
    return jobs.versions(session, job.id, limit=limit, cursor=cursor)


def changes(session: Session, actor: Actor, job_id: str, before: int, after: int) -> list[Change]:
    """Return what one version of a job changed of another, by meaning."""
    job = get(session, actor, job_id)
    found = (jobs.get_version(session, job.id, number).document for number in (before, after))
    return diff(*(JobDocument.model_validate(document) for document in found))


def as_python(session: Session, actor: Actor, job_id: str, number: int | None) -> str:
    """Return Python that makes the document of a version of a job, of the latest without one."""
    return python_of(JobDocument.model_validate(version(session, actor, job_id, number).document))


def simulation(
    session: Session,
    actor: Actor,
    document: dict[str, Any],
    parameters: dict[str, Any],
    mocks: dict[str, Any],
) -> Simulation:
    """Return how a run of a document would go where its tasks end as the mocks say.

    Nothing is stored and nothing has an effect. Raises InvalidInput for a document with faults.
    """
    access.require(session, actor, "workflows:read")
    return simulate(validation.validate(document), parameters, mocks)


def _canonical(session: Session, actor: Actor, document: dict[str, Any]) -> dict[str, Any]:
    """Return a sound document as it is stored; raise InvalidInput with all faults of another."""
    sound = validation.validate(document)
    if sound.bundle and not bundles.mark_used(session, actor.workspace_id, sound.bundle):
        fault = Fault("/bundle", f"The workspace has no bundle {sound.bundle}.",
                      "`racine deploy DIR` uploads the code and names it.", "bundle")  # fmt: skip
        raise InvalidInput("The job's code is not here.", faults=[fault])
    if faults := list(pools.use_faults(session, actor.workspace_id, sound)):
        raise InvalidInput("The job needs pools that are not there.", faults=faults)
    faults = list(job_references.faults(session, actor.workspace_id, sound))
    if faults:
        raise InvalidInput("The job's tasks cannot run the jobs that they name.", faults=faults)
    return sound.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _at_version(job: Job, version: int) -> None:
    if job.version != version:
        raise PreconditionFailed(
            f"Job {job.name!r} is at version {job.version}, not {version}.",
            next_step="Read it again, look at what changed, then send If-Match with its ETag.",
        )


def _lacking(actor: Actor, permission: str, names: list[str]) -> Fault:
    return Fault(
        "/tasks",
        f"{actor.name} lacks {permission}, which {', '.join(names)} asks for.",
        "Ask for a role that gives it, or let somebody run the job who has it.",
        "permission",
    )


def _summary(job: Job) -> dict[str, Any]:
    return {"name": job.name, "version": job.version}
