"""Runs of jobs: recorded first, started after the commit, then read from Temporal."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.names import WORKFLOW_QUEUE
from models.messages import JobInput, RunContext
from models.session import Database
from models.stores import blobs, jobs, pools, run_queue, run_results, runs, workspaces
from models.stores.jobs import JobVersion as JobVersion
from models.stores.paging import Page as Page
from models.stores.run_queue import Turn as Turn
from models.stores.runs import Run as Run
from models.stores.runs import RunEvent as RunEvent
from models.stores.runs import Which as Which
from models.temporal import ACTOR, JOB, REPAIR, STATE, TRIGGER, WORKSPACE
from racine.definitions import parameters
from racine.engine.kept import Kept
from racine.engine.plan import Plan
from racine.engine.selection import Selection as Selection
from racine.engine.selection import begin_with, part_of
from racine.engine.states import RunState
from racine.errors import NotFound
from racine.ids import new_id
from services import access, audit, plans, workflows
from services.access import Actor
from services.outages import outage
from workflows.job import RacineJob

_START_SECONDS = 5

_WORKSPACE = SearchAttributeKey.for_keyword(WORKSPACE)
_JOB = SearchAttributeKey.for_keyword(JOB)
_TRIGGER = SearchAttributeKey.for_keyword(TRIGGER)
_ACTOR = SearchAttributeKey.for_keyword(ACTOR)
_STATE = SearchAttributeKey.for_keyword(STATE)


@dataclass(frozen=True)
class Launch:
    """All that Temporal needs to start a recorded run."""

    run_id: str
    workflow_id: str
    job: str
    trigger: str
    input: JobInput
    queued: bool = False
    """It may not begin yet: the end of another run of its job starts it."""


@dataclass(frozen=True)
class Repair:
    """A further execution of a run: its number, and what it begins with."""

    number: int
    kept: Kept
    logical_time: str | None


def record(
    session: Session,
    actor: Actor,
    job_id: str,
    given: dict[str, Any],
    *,
    version: int | None = None,
    trigger: str = "manual",
    selection: Selection | None = None,
) -> Launch:
    """Write down that a run shall be, of the whole job or a part; the caller commits, then starts.

    Raises InvalidInput when the parameters do not fit the job's schemas, Forbidden when the actor
    lacks what one of its operations asks for, Conflict when the job has as many runs as it may have
    and queues none.
    """
    access.require(session, actor, "workflows:run")
    job = workflows.get(session, actor, job_id)
    pinned = jobs.get_version(session, job.id, version or job.version)
    document, plan = plans.compiled(pinned.content_hash, pinned.document)
    access.require_operations(session, actor, document)
    part = _part(session, actor, plan, selection) if selection and selection.chooses else None
    values = parameters.bind(document.parameters, given)
    run_id = new_id("run")
    row: dict[str, Any] = {
        "id": run_id,
        "workspace_id": job.workspace_id,
        "job_id": job.id,
        "job_version": pinned.number,
        "workflow_id": f"{job.name}/{run_id}",
        "actor": actor.id,
        "trigger": trigger,
        "parameters": values,
    }
    begins = run_queue.enter(session, document, row)
    if not begins and not document.queue.enabled:
        raise run_queue.refusal(session, run_id)
    audit.record(
        session, actor, "run.start", run_id, after={"job": job.name, "version": pinned.number}
    )
    if part is not None:
        run_results.put(session, run_id, 0, run_results.BASE, part)
    named = (run_id, row["workflow_id"], job.workspace_id, actor.id)
    begins_with = None if part is None else Repair(0, part, None)
    made = _launch(session, *named, trigger, values, pinned, begins_with)
    return made if begins else replace(made, queued=True)


def rerun(
    session: Session, actor: Actor, run_id: str, begin: list[str], given: dict[str, Any]
) -> Launch:
    """Write down a new run like an earlier one, from these tasks on: what is before is kept.

    `given` are the parameters that change. Raises as `record` does.
    """
    run = get(session, actor, run_id)
    selection = Selection(begin=begin, values_from=run_id)
    return record(
        session, actor, run.job_id, run.parameters | given, version=run.job_version,
        trigger="rerun", selection=selection,
    )  # fmt: skip


def _part(session: Session, actor: Actor, plan: Plan, selection: Selection) -> Kept:
    earlier = None
    if selection.values_from is not None:
        run = get(session, actor, selection.values_from)
        earlier = run_results.get(session, run.id, run.repair)
    return begin_with(plan, selection, earlier)


def launch(session: Session, run: Run) -> Launch:
    """Return what starts a run that was recorded before."""
    version = jobs.get_version(session, run.job_id, run.job_version)
    return _launch(
        session,
        run.id,
        run.workflow_id,
        run.workspace_id,
        run.actor,
        run.trigger,
        run.parameters,
        version,
        _repair_of(session, run),
    )


def _repair_of(session: Session, run: Run) -> Repair | None:
    kept = run_results.base(session, run.id, run.repair)
    if kept is None:
        return None
    meant = run.scheduled_for.isoformat() if run.scheduled_for else kept.started_at
    return Repair(run.repair, kept, meant)


def _launch(
    session: Session,
    run_id: str,
    workflow_id: str,
    workspace_id: str,
    actor: str,
    trigger: str,
    values: dict[str, Any],
    version: JobVersion,
    repair: Repair | None = None,
) -> Launch:
    document, plan = plans.compiled(version.content_hash, version.document)
    context = RunContext(
        run_id=run_id,
        workspace_id=workspace_id,
        actor=actor,
        limits_sources=pools.limits_sources(session, workspace_id),
        repair=repair.number if repair else 0,
        weight=workspaces.weight(session, workspace_id),
    )
    given = JobInput(
        context=context,
        parameters=values,
        plan=part_of(plan, repair.kept if repair else None),
        keeps=True,
        kept=repair.kept if repair else None,
        logical_time=repair.logical_time if repair else None,
    )
    return Launch(run_id, workflow_id, document.name, trigger, given)


async def start(client: Client, what: Launch) -> None:
    """Start a committed run in Temporal; starting it again attaches to what is there.

    Raises Unavailable when Temporal does not answer: the sweeper starts the run later.
    """
    context = what.input.context
    try:
        if context.repair and await _is_begun(client, what):
            return
        await client.start_workflow(
            RacineJob.run,
            what.input,
            id=what.workflow_id,
            task_queue=WORKFLOW_QUEUE,
            # A run that has ended must not begin again because its start was repeated.
            id_reuse_policy=(
                WorkflowIDReusePolicy.ALLOW_DUPLICATE
                if context.repair
                else WorkflowIDReusePolicy.REJECT_DUPLICATE
            ),
            memo={REPAIR: context.repair},
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"{what.job} · {what.run_id}",
            priority=Priority(
                priority_key=what.input.plan.priority,
                fairness_key=context.workspace_id,
                fairness_weight=context.weight,
            ),
            search_attributes=TypedSearchAttributes(
                [
                    SearchAttributePair(_WORKSPACE, context.workspace_id),
                    SearchAttributePair(_JOB, what.job),
                    SearchAttributePair(_TRIGGER, what.trigger),
                    SearchAttributePair(_ACTOR, context.actor),
                    SearchAttributePair(_STATE, RunState.RUNNING.value),
                ]
            ),
            rpc_timeout=timedelta(seconds=_START_SECONDS),
        )
    except WorkflowAlreadyStartedError:
        return
    except RPCError as fault:
        raise outage(fault) from fault


async def _is_begun(client: Client, what: Launch) -> bool:
    """Tell whether Temporal has had this execution of the run, even if it has ended since."""
    handle = client.get_workflow_handle(what.workflow_id)
    found = await handle.describe(rpc_timeout=timedelta(seconds=_START_SECONDS))
    return int(await found.memo_value(REPAIR, 0)) >= what.input.context.repair


def mark_started(db: Database, run_id: str) -> None:
    """Note in the index that Temporal has the run."""
    with db.write() as session:
        runs.mark_started(session, {run_id: datetime.now(UTC)})


def get(session: Session, actor: Actor, run_id: str) -> Run:
    """Return the run as the index has it; raise NotFound also for another workspace's."""
    run = runs.get(session, run_id)
    access.same_workspace(actor, run.workspace_id, f"run {run_id!r}")
    access.require(session, actor, "workflows:read")
    return run


def turn(session: Session, run: Run) -> Turn | None:
    """Return where a queued run stands, None for one whose turn has come."""
    return run_queue.turn(session, run) if run.state == RunState.QUEUED else None


def breaches(session: Session, run: Run) -> list[RunEvent]:
    """Return what tells of the rules of its job's health that a run has broken."""
    return runs.breaches(session, run.id)


def traceback(session: Session, actor: Actor, run_id: str, task_key: str) -> str:
    """Return the traceback of the task's latest attempt that left one; its text may hold data.

    Raises NotFound where none did: errors that Racine foresees say all in their message.
    """
    run = get(session, actor, run_id)
    ref = runs.kept_traceback(session, run.id, task_key)
    if ref is None:
        raise NotFound(
            f"Task {task_key!r} of run {run_id!r} left no traceback.",
            next_step=f"`racine runs tasks {run_id}` lists its tasks and what each failed with.",
        )
    return blobs.get(session, run.workspace_id, ref).content.decode(errors="replace")


def listed(
    session: Session, actor: Actor, which: Which, *, limit: int, cursor: str | None
) -> Page[Run]:
    """Return runs of the workspace, newest first; raise NotFound for those of an unknown job."""
    _know(session, actor, which)
    return runs.listed(session, actor.workspace_id, which, limit=limit, cursor=cursor)


def count(session: Session, actor: Actor, which: Which) -> int:
    """Return how many of the workspace's runs are meant."""
    _know(session, actor, which)
    return runs.count(session, actor.workspace_id, which)


def _know(session: Session, actor: Actor, which: Which) -> None:
    access.require(session, actor, "workflows:read")
    if which.job_id is not None:
        workflows.get(session, actor, which.job_id)


def events_after(session: Session, run_id: str, last: int) -> list[RunEvent]:
    """Return a run's events after that id; the caller has asked for the run before."""
    return runs.events_after(session, run_id, last)
