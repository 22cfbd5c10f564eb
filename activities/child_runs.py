"""Runs that tasks start: recorded once for each try of their task, under the run's own actor."""

from typing import Any

from sqlalchemy.orm import Session
from temporalio import activity

from activities import rights
from activities.events import EventSink
from activities.faults import as_failure
from activities.names import LEAVE_QUEUE, LOOK_AT_RUN, RECORD_CHILD_RUN
from activities.naming import named
from activities.runs import Begin
from models.messages import ChildRunCall, ChildRunLaunch, JobInput, RunContext, RunLook, RunResult
from models.session import Database
from models.stores import activities as log
from models.stores import jobs, pools, run_queue, runs, users
from models.stores.jobs import JobVersion
from models.stores.runs import Run
from racine import expressions
from racine.definitions import parameters
from racine.definitions.document import JobDocument
from racine.definitions.rights import permissions_of
from racine.engine.plan import compile_plan
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import InvalidInput, NotFound, RacineError
from racine.ids import new_id

MAX_DEPTH = 10
"""How many runs may stand above one another: a job that ends up starting itself stops here."""


class ChildRunActivities:
    def __init__(self, db: Database, sink: EventSink, begin: Begin) -> None:
        self._db = db
        self._sink = sink
        self._begin = begin

    @activity.defn(name=RECORD_CHILD_RUN)
    def record(self, call: ChildRunCall) -> ChildRunLaunch:
        """Record the run that a task starts, once for each of its tries; begin it if nobody waits.

        Fails without another try when the job is unknown, its parameters do not fit, the run's
        actor may not run it, or too many runs already stand above one another.
        """
        self._sink.put_transitions(call.context.run_id, call.transitions)
        try:
            return self._recorded(call)
        except RacineError as fault:
            raise as_failure(fault) from fault

    @activity.defn(name=LOOK_AT_RUN)
    def look(self, call: RunLook) -> RunResult | None:
        """Return how a run ended; None while it goes on."""
        with self._db.read() as session:
            run = runs.get(session, call.run_id)
            if run.state not in FINAL_RUN_STATES:
                return None
            return RunResult(state=run.state, outputs=run.outputs, error=run.error)

    @activity.defn(name=LEAVE_QUEUE)
    def leave(self, call: RunLook) -> bool:
        """Take a run out of the queue; False for one that waits there no more."""
        error = {"code": "cancelled", "message": "The run that started it was cancelled."}
        with self._db.write() as session:
            run = runs.get(session, call.run_id)
            return run_queue.leave(session, run, RunState.CANCELLED, error)

    def _recorded(self, call: ChildRunCall) -> ChildRunLaunch:
        given = call.job_parameters
        if call.names is not None:
            with self._db.read() as session:
                names = named(session, call.context.workspace_id, call.names)
            given = expressions.resolve(given, names)
        with self._db.read() as session:
            known = _found(session, call)
            version = _version(session, call)
            name = jobs.get(session, version.job_id).name
        document = JobDocument.model_validate(version.document)
        if known is None:
            for permission in ("workflows:run", *permissions_of(document)):
                rights.require(self._db, call.context, permission)
            with self._db.write() as session:
                # Another attempt of the same try may have been quicker.
                known = _found(session, call) or _insert(session, call, version, document, given)
        if not call.wait and known.state == RunState.SCHEDULED:
            self._begin([known.id])
        limits = self._limits_sources(call)
        return _launch(known, document, name, limits_sources=limits, weight=call.context.weight)

    def _limits_sources(self, call: ChildRunCall) -> bool:
        with self._db.read() as session:
            return pools.limits_sources(session, call.context.workspace_id)


def _found(session: Session, call: ChildRunCall) -> Run | None:
    return runs.find_child(session, call.context.run_id, call.task_key, call.try_number)


def _version(session: Session, call: ChildRunCall) -> JobVersion:
    """Return the version of the job that the task asks for."""
    job = jobs.find(session, call.context.workspace_id, call.job)
    if job is None or job.archived:
        raise InvalidInput(
            f"There is no job {call.job!r} in this workspace.", next_step="Save it, then retry."
        )
    if isinstance(call.version, int):
        return jobs.get_version(session, job.id, call.version)
    if call.version == "latest":
        return jobs.get_version(session, job.id, job.version)
    parent = runs.get(session, call.context.run_id)
    saved = jobs.get_version(session, parent.job_id, parent.job_version).created_at
    found = jobs.version_at(session, job.id, saved)
    if found is None:
        raise InvalidInput(
            f"Job {call.job!r} had no version when this job's version {parent.job_version} was "
            "saved.",
            next_step="Save this job again, or ask for another version.",
        )
    return found


def _insert(
    session: Session,
    call: ChildRunCall,
    version: JobVersion,
    document: JobDocument,
    given: dict[str, Any],
) -> Run:
    _require_depth(session, call)
    run_id = new_id("run")
    row = {
        "id": run_id,
        "workspace_id": call.context.workspace_id,
        "job_id": version.job_id,
        "job_version": version.number,
        "workflow_id": f"{document.name}/{run_id}",
        "actor": call.context.actor,
        "trigger": "run_job",
        "parameters": parameters.bind(document.parameters, given),
        "parent_run_id": call.context.run_id,
        "parent_task_key": call.task_key,
        "parent_try": call.try_number,
    }
    if not run_queue.enter(session, document, row) and not document.queue.enabled:
        raise run_queue.refusal(session, run_id)
    _audit(session, call, run_id, document.name, version.number)
    session.flush()
    return runs.get(session, run_id)


def _require_depth(session: Session, call: ChildRunCall) -> None:
    above: list[str] = []
    run_id: str | None = call.context.run_id
    while run_id is not None:
        run = runs.get(session, run_id)
        above.append(run.workflow_id.rpartition("/")[0])
        run_id = run.parent_run_id
        if len(above) >= MAX_DEPTH:
            raise InvalidInput(
                f"{MAX_DEPTH} runs stand above one another: {' → '.join(reversed(above))}.",
                next_step="Let the jobs start each other no further; a loop may be what you need.",
            )


def _audit(session: Session, call: ChildRunCall, run_id: str, job: str, version: int) -> None:
    try:
        name = users.get(session, call.context.actor).name
    except NotFound:
        name = call.context.actor
    log.append(
        session,
        chain=call.context.workspace_id,
        actor_id=call.context.actor,
        actor_name=name,
        action="run.start",
        object_id=run_id,
        after={"job": job, "version": version, "parent": call.context.run_id},
        outcome="done",
        request_id="",
        origin="workflow",
    )


def _launch(
    run: Run, document: JobDocument, name: str, *, limits_sources: bool, weight: float
) -> ChildRunLaunch:
    context = RunContext(
        run_id=run.id,
        workspace_id=run.workspace_id,
        actor=run.actor,
        limits_sources=limits_sources,
        weight=weight,
    )
    plan = compile_plan(document)
    return ChildRunLaunch(
        run_id=run.id,
        workflow_id=run.workflow_id,
        job=name,
        queued=run.state == RunState.QUEUED,
        input=JobInput(context=context, parameters=run.parameters, plan=plan, keeps=True),
    )
