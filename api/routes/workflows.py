"""Jobs: their documents and versions."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Me, ReadSession, WriteSession
from api.pages import Cursor, Items, Limit
from api.preconditions import ExpectedVersion, etag
from services import estimates, workflows
from services.workflows import Job, JobVersion

router = APIRouter(prefix="/api/racine/workflows", tags=["workflows"])

EXAMPLE: Any = {
    "spec_version": "1",
    "name": "hello",
    "tasks": [
        {
            "task_key": "greet",
            "operation_task": {"operation": "racine.noop", "input": {"value": "hello"}},
        }
    ],
}


class Document(BaseModel):
    """A job document; its JSON Schema is at `/api/racine/schema/job.json`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"document": EXAMPLE}})

    document: dict[str, Any]


class Rollback(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"version": 1}})

    version: int = Field(ge=1, description="Whose document becomes the next version's.")


class FaultAnswer(BaseModel):
    pointer: str
    message: str
    next_step: str
    code: str


class ValidationAnswer(BaseModel):
    valid: bool
    faults: list[FaultAnswer]
    hints: list[FaultAnswer]


class JobAnswer(BaseModel):
    id: str
    name: str
    version: int
    created_at: datetime


class VersionAnswer(BaseModel):
    job_id: str
    version: int
    content_hash: str
    created_at: datetime
    created_by: str


class VersionDocument(VersionAnswer):
    document: dict[str, Any]


class JobDetail(JobAnswer):
    document: dict[str, Any]
    content_hash: str


class SimulationRequest(BaseModel):
    """A document, the parameters of the run, and what its tasks answer.

    `mocks.tasks` goes by task key, or by path for one iteration (`each[3].clean`),
    `mocks.operations` by operation. An answer has `values`, `outcome` (of approvals and gates),
    `error` and `seconds`; a list of answers is one for each attempt.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "document": EXAMPLE,
                "mocks": {"tasks": {"greet": {"values": {"value": "hello"}, "seconds": 2}}},
            }
        },
    )

    document: dict[str, Any]
    parameters: dict[str, Any] = Field(default_factory=dict)
    mocks: dict[str, Any] = Field(default_factory=dict)


class SimulatedTaskAnswer(BaseModel):
    path: str
    kind: str
    state: str
    reason: str | None
    outcome: str | None
    values: dict[str, Any]
    error: dict[str, Any] | None
    attempts: int
    started: float | None
    ended: float | None


class SimulationAnswer(BaseModel):
    state: str
    outputs: dict[str, Any]
    error: dict[str, Any] | None
    seconds: float
    """Simulated: what the answers, waits and retries would take."""
    order: list[str]
    """The tasks that began, in the order in which they did."""
    unmocked: list[str]
    """Tasks that no mock spoke of: they succeeded and returned nothing."""
    held: list[str]
    """Tasks that a person would have to decide about: the run would go on, and wait."""
    tasks: list[SimulatedTaskAnswer]


class ChangeAnswer(BaseModel):
    """One difference between two versions; `pointer` leads into the later, of what is gone, into
    the earlier."""

    kind: Literal["added", "removed", "renamed", "moved", "changed"]
    pointer: str
    task: str | None
    field: str
    old: Any
    new: Any


class DiffAnswer(BaseModel):
    job_id: str
    before: int
    after: int
    changes: list[ChangeAnswer]


class ExpectedAnswer(BaseModel):
    """Seconds from the start of a run in which all goes well."""

    task_key: str
    begins: float
    seconds: float
    slack: float
    """How much longer it may take without the run taking longer."""
    measured: bool
    """Whether past runs tell its seconds."""


class EstimateAnswer(BaseModel):
    seconds: float
    critical: list[str]
    """The tasks of the longest way, in order."""
    tasks: list[ExpectedAnswer]


class DependencyAnswer(BaseModel):
    resource: str
    upstream_job: str
    upstream_task: str
    downstream_job: str
    downstream_task: str


class DependenciesAnswer(BaseModel):
    items: list[DependencyAnswer]


class CodeAnswer(BaseModel):
    python: str
    """Source of a module that defines the job."""


class TemplateAnswer(BaseModel):
    name: str
    description: str
    document: dict[str, Any]


@router.post("", operation_id="create_workflow", status_code=status.HTTP_201_CREATED)
def create(body: Document, session: WriteSession, me: Me, response: Response) -> JobAnswer:
    """Save a new job; a document with faults is refused with all of them."""
    job = workflows.create(session, me, body.document)
    response.headers["Location"] = f"{router.prefix}/{job.id}"
    response.headers["ETag"] = etag(job.version)
    return _job(job)


@router.get("", operation_id="list_workflows")
def list_jobs(
    session: ReadSession,
    me: Me,
    name: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Items[JobAnswer]:
    """List the workspace's jobs, newest first."""
    found = workflows.listed(session, me, name=name, limit=limit, cursor=cursor)
    return Items[JobAnswer](items=[_job(job) for job in found.items], next_cursor=found.next_cursor)


@router.post("/validate", operation_id="validate_workflow")
def validate(body: Document, session: ReadSession, me: Me) -> ValidationAnswer:
    """Tell everything that is wrong with a document, each with its place and a way out."""
    report = workflows.examine(session, me, body.document)
    return ValidationAnswer(
        valid=not report.faults,
        faults=[FaultAnswer(**_fault(fault)) for fault in report.faults],
        hints=[FaultAnswer(**_fault(hint)) for hint in report.hints],
    )


@router.post("/simulate", operation_id="simulate_workflow")
def simulate(body: SimulationRequest, session: ReadSession, me: Me) -> SimulationAnswer:
    """Tell which tasks a run would take, in which order, and how each would end, where tasks that
    have an effect end as the mocks say; nothing is run or stored."""
    told = workflows.simulation(session, me, body.document, body.parameters, body.mocks)
    return SimulationAnswer.model_validate(told.as_json())


@router.get("/templates", operation_id="list_workflow_templates")
def templates(session: ReadSession, me: Me) -> Items[TemplateAnswer]:
    """List the job documents that ship with Racine."""
    return Items[TemplateAnswer](
        items=[
            TemplateAnswer(
                name=document["name"],
                description=document.get("description", ""),
                document=document,
            )
            for document in workflows.templates(session, me)
        ]
    )


@router.get("/{job_id}", operation_id="get_workflow")
def get(job_id: str, session: ReadSession, me: Me, response: Response) -> JobDetail:
    """Return a job with its latest document."""
    job = workflows.get(session, me, job_id)
    version = workflows.version(session, me, job_id)
    response.headers["ETag"] = etag(job.version)
    return JobDetail(
        **_job(job).model_dump(), document=version.document, content_hash=version.content_hash
    )


@router.put("/{job_id}", operation_id="replace_workflow")
def replace(
    job_id: str,
    body: Document,
    session: WriteSession,
    me: Me,
    expected: ExpectedVersion,
    response: Response,
) -> JobAnswer:
    """Make the document the job's next version; the same content again changes nothing."""
    job = workflows.replace(session, me, job_id, body.document, expected)
    response.headers["ETag"] = etag(job.version)
    return _job(job)


@router.post("/{job_id}/rollback", operation_id="roll_back_workflow")
def roll_back(
    job_id: str,
    body: Rollback,
    session: WriteSession,
    me: Me,
    expected: ExpectedVersion,
    response: Response,
) -> JobAnswer:
    """Make an earlier version's document the job's next version; runs keep the versions they have.

    It is judged as if it were new: pools or code that it needs may be gone since.
    """
    job = workflows.roll_back(session, me, job_id, body.version, expected)
    response.headers["ETag"] = etag(job.version)
    return _job(job)


@router.delete("/{job_id}", operation_id="archive_workflow", status_code=status.HTTP_204_NO_CONTENT)
def archive(job_id: str, session: WriteSession, me: Me, expected: ExpectedVersion) -> None:
    """Take the job out of use; its versions and runs stay."""
    workflows.archive(session, me, job_id, expected)


@router.get("/{job_id}/versions", operation_id="list_workflow_versions")
def list_versions(
    job_id: str, session: ReadSession, me: Me, limit: Limit = 50, cursor: Cursor = None
) -> Items[VersionAnswer]:
    """List a job's versions, newest first."""
    found = workflows.versions(session, me, job_id, limit=limit, cursor=cursor)
    items = [VersionAnswer(**_version(version)) for version in found.items]
    return Items[VersionAnswer](items=items, next_cursor=found.next_cursor)


@router.get("/{job_id}/versions/{number}", operation_id="get_workflow_version")
def get_version(job_id: str, number: int, session: ReadSession, me: Me) -> VersionDocument:
    """Return one version of a job with its document."""
    version = workflows.version(session, me, job_id, number)
    return VersionDocument(**_version(version), document=version.document)


@router.get("/{job_id}/versions/{number}/diff/{other}", operation_id="diff_workflow_versions")
def diff_versions(job_id: str, number: int, other: int, session: ReadSession, me: Me) -> DiffAnswer:
    """Tell what version `other` changed of version `number`, by meaning: layout and order do not
    count, a task that only has another name is renamed."""
    found = workflows.changes(session, me, job_id, number, other)
    changes = [ChangeAnswer(**asdict(change)) for change in found]
    return DiffAnswer(job_id=job_id, before=number, after=other, changes=changes)


@router.get("/{job_id}/generate-code", operation_id="generate_workflow_code")
def generate_code(
    job_id: str,
    session: ReadSession,
    me: Me,
    version: Annotated[int | None, Query(ge=1)] = None,
) -> CodeAnswer:
    """Write a job as Python, with one typed call for each task: running it makes the same job."""
    return CodeAnswer(python=workflows.as_python(session, me, job_id, version))


@router.get("/{job_id}/versions/{number}/estimate", operation_id="estimate_workflow")
def estimate(job_id: str, number: int, session: ReadSession, me: Me) -> EstimateAnswer:
    """Tell the longest way through a version's tasks and the slack of all others, from how long
    tasks took in past runs; a task that nobody measured counts as long as it waits, else 1 s."""
    found = estimates.of_version(session, me, job_id, number)
    tasks = [
        ExpectedAnswer(task_key=key, begins=e.begins, seconds=e.seconds, slack=e.slack,
                       measured=e.measured)
        for key, e in found.tasks.items()
    ]  # fmt: skip
    return EstimateAnswer(seconds=found.seconds, critical=found.critical, tasks=tasks)


@router.get("/{job_id}/dependencies", operation_id="list_workflow_dependencies")
def dependencies(job_id: str, session: ReadSession, me: Me) -> DependenciesAnswer:
    """Tell which jobs write what this one reads, and which read what it writes: outlets of tasks
    that are inlets of others."""
    found = estimates.resource_ties(session, me, job_id)
    return DependenciesAnswer(items=[DependencyAnswer(**asdict(item)) for item in found])


def _job(job: Job) -> JobAnswer:
    return JobAnswer(id=job.id, name=job.name, version=job.version, created_at=job.created_at)


def _version(version: JobVersion) -> dict[str, Any]:
    return {
        "job_id": version.job_id,
        "version": version.number,
        "content_hash": version.content_hash,
        "created_at": version.created_at,
        "created_by": version.created_by,
    }


def _fault(fault: Any) -> dict[str, str]:
    return {
        "pointer": fault.pointer,
        "message": fault.message,
        "next_step": fault.next_step,
        "code": fault.code,
    }
