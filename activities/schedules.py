"""Records the runs that schedules fire, and makes the schedules that jobs ask for."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities import rights
from activities.call import Call, Performers
from activities.governed import advance
from activities.names import RECORD_SCHEDULED_RUN
from models.messages import JobInput, RunContext, ScheduledFiring, ScheduledLaunch
from models.session import Database
from models.stores import jobs, pools, run_queue, runs, schedules, sources, workspaces
from models.stores.runs import Run
from models.stores.schedules import Schedule
from racine.definitions import parameters
from racine.definitions.document import JobDocument
from racine.definitions.rights import permissions_of
from racine.definitions.schedules import ScheduleSpec
from racine.engine.plan import compile_plan
from racine.engine.states import RunState
from racine.errors import Forbidden, InvalidInput
from racine.governance.data_sources.states import SourceState
from racine.governance.scan_logic import monitoring
from racine.ids import new_id


class ScheduleActivities:
    def __init__(self, db: Database) -> None:
        self._db = db

    @activity.defn(name=RECORD_SCHEDULED_RUN)
    def record(self, firing: ScheduledFiring) -> ScheduledLaunch:
        """Record the run of a firing, once, over the job's latest version.

        One whose parameters no longer fit the job, or whose actor may no longer run it, is recorded
        as failed, and fails the firing.
        """
        with self._db.write() as session:
            run = runs.find_by_firing(session, firing.fired_by) or _record(session, firing)
            version = jobs.get_version(session, run.job_id, run.job_version)
            limits_sources = pools.limits_sources(session, run.workspace_id)
            weight = workspaces.weight(session, run.workspace_id)
        if run.error is not None:
            error = run.error
            raise ApplicationError(error["message"], type=error["code"], non_retryable=True)
        plan = compile_plan(JobDocument.model_validate(version.document))
        context = RunContext(
            run_id=run.id,
            workspace_id=run.workspace_id,
            actor=run.actor,
            limits_sources=limits_sources,
            weight=weight,
        )
        return ScheduledLaunch(
            workflow_id=run.workflow_id,
            summary=f"{plan.job} · {run.id}",
            queued=run.state == RunState.QUEUED,
            input=JobInput(
                context=context,
                parameters=run.parameters,
                plan=plan,
                logical_time=firing.scheduled_for.isoformat(),
                keeps=True,
            ),
        )


def _record(session: Session, firing: ScheduledFiring) -> Run:
    schedule = schedules.get(session, firing.schedule_id)
    job = jobs.get(session, schedule.job_id)
    version = jobs.get_version(session, job.id, job.version)
    document = JobDocument.model_validate(version.document)
    values, error = _bind(document, schedule.parameters)
    error = _forbidden(session, schedule, document) or error
    run_id = new_id("run")
    row: dict[str, Any] = {
        "id": run_id,
        "workspace_id": schedule.workspace_id,
        "job_id": job.id,
        "job_version": version.number,
        "workflow_id": f"{job.name}/{run_id}",
        "actor": schedule.actor,
        "trigger": "schedule",
        "parameters": values,
        "schedule_id": schedule.id,
        "scheduled_for": firing.scheduled_for,
        "fired_by": firing.fired_by,
    }
    if error is None and not run_queue.enter(session, document, row) and not document.queue.enabled:
        refusal = run_queue.refusal(session, run_id)
        error = {"code": refusal.code, "message": refusal.message}
        run_queue.leave(session, runs.get(session, run_id), RunState.FAILED, error)
    elif error is not None:
        ended = {
            "state": RunState.FAILED,
            "ended_at": datetime.now(UTC),
            "started": True,
            "error": error,
        }
        runs.insert(session, **row, **ended)
    session.flush()
    return runs.get(session, run_id)


def _forbidden(
    session: Session, schedule: Schedule, document: JobDocument
) -> dict[str, Any] | None:
    """Return why the schedule's actor may no longer run the job; rights are taken at any time."""
    needed = ["workflows:run", *permissions_of(document)]
    try:
        rights.ask(session, schedule.actor, schedule.workspace_id, needed)
    except Forbidden as fault:
        message = f"The schedule has the rights of who last changed it. {fault.message}"
        step = "Somebody who may run the job saves the schedule anew, or deletes it."
        return {"code": fault.code, "message": message, "next_step": step}
    return None


def _bind(
    document: JobDocument, given: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    try:
        return parameters.bind(document.parameters, given), None
    except InvalidInput as fault:
        first = f"{fault.message} {fault.faults[0].message}"
        return given, {"code": fault.code, "message": first}


def schedule_monitoring(
    call: Call, given: monitoring.ScheduleMonitoringInput
) -> monitoring.ScheduleMonitoringResult:
    """Make the run's own job run again by itself; the reconciler gives Temporal the schedule."""
    with call.db.write() as session:
        run = runs.get(session, call.context.run_id)
        wish = ScheduleSpec.model_validate(
            {
                "parameters": run.parameters,
                **given.model_dump(exclude_none=True, exclude={"source_id"}),
            }
        )
        made, changed = schedules.save(
            session,
            call.context.workspace_id,
            run.job_id,
            call.context.actor,
            wish.model_dump(mode="json"),
        )
        if given.source_id is not None:
            sources.get(session, given.source_id, workspace_id=call.context.workspace_id)
            advance(session, given.source_id, SourceState.MONITORING)
        return monitoring.ScheduleMonitoringResult(
            schedule_id=made.id, name=made.name, changed=changed
        )


PERFORMS: Performers = {monitoring.SCHEDULE_MONITORING: schedule_monitoring}
