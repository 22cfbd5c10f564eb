"""Job definitions and their runs."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.names import WORKFLOW_QUEUE
from models.messages import JobInput, RunContext
from models.session import Database
from models.stores import jobs, runs
from racine.definitions.document import JobDocument
from racine.engine.plan import compile_plan
from racine.engine.states import RunState
from racine.errors import Fault, InvalidInput
from racine.ids import new_id
from workflows.job import RacineJob


def parse(document: dict[str, Any]) -> JobDocument:
    """Return the typed document; raise InvalidInput with every fault and its pointer."""
    try:
        return JobDocument.model_validate(document)
    except ValidationError as error:
        faults = [
            Fault("/" + "/".join(map(str, e["loc"])), e["msg"], code=e["type"])
            for e in error.errors(include_url=False)
        ]
        raise InvalidInput("The job document has faults.", faults=faults) from None


def save(session: Session, workspace_id: str, document: dict[str, Any], actor: str) -> str:
    parsed = parse(document)
    stored = parsed.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return jobs.save(session, workspace_id, stored, actor).id


def record(session: Session, job_id: str, parameters: dict[str, Any], actor: str) -> str:
    """Write down that a run shall be; the caller commits, then starts it."""
    job = jobs.get(session, job_id)
    version = jobs.get_version(session, job.id, job.version)
    defaults = {p["name"]: p.get("default") for p in version.document.get("parameters", [])}
    run_id = new_id("run")
    runs.insert(
        session,
        id=run_id,
        workspace_id=job.workspace_id,
        job_id=job.id,
        job_version=job.version,
        workflow_id=f"{job.name}/{run_id}",
        actor=actor,
        parameters=defaults | parameters,
        state=RunState.SCHEDULED,
    )
    return run_id


async def start(db: Database, client: Client, run_id: str) -> None:
    """Start a committed run in Temporal; starting it again attaches to what is there."""
    with db.read() as session:
        run = runs.get(session, run_id)
        document = jobs.get_version(session, run.job_id, run.job_version).document
    plan = compile_plan(JobDocument.model_validate(document))
    context = RunContext(run_id=run.id, workspace_id=run.workspace_id, actor=run.actor)
    await client.start_workflow(
        RacineJob.run,
        JobInput(context=context, parameters=run.parameters, plan=plan),
        id=run.workflow_id,
        task_queue=WORKFLOW_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"{plan.job} · {run.id}",
    )
    with db.write() as session:
        runs.mark_started(session, run_id)
