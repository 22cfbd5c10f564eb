"""Schedules: rows are the wish, Temporal's schedules are brought in line with them.

A schedule starts `RacineScheduledRun`, which records the run and then runs the job as its child:
so Temporal's overlap policy holds for the run itself, and every run has its row.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy.orm import Session
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from temporalio.client import Schedule as TemporalSchedule
from temporalio.service import RPCError, RPCStatusCode

from activities.names import WORKFLOW_QUEUE
from models.messages import ScheduledStart
from models.session import Database
from models.stores import jobs, schedules
from models.stores.paging import Page
from models.stores.schedules import Schedule as Schedule
from racine.definitions import parameters
from racine.definitions.document import JobDocument
from racine.definitions.schedules import ScheduleSpec as Wish
from racine.definitions.schedules import upcoming
from racine.errors import Conflict, NotFound, PreconditionFailed, RacineError
from services import access, audit, workflows
from services.access import Actor
from services.outages import outage
from workflows.scheduled import RacineScheduledRun

_RPC = timedelta(seconds=5)

_log = structlog.get_logger("schedules")


def create(session: Session, actor: Actor, job_id: str, wish: Wish) -> Schedule:
    """Wish for a schedule; raises Conflict when the workspace has one of that name."""
    access.require(session, actor, "workflows:write")
    _check_job(session, actor, job_id, wish)
    existing = schedules.find(session, actor.workspace_id, wish.name)
    if existing is not None and not existing.deleted:
        raise Conflict(
            f"The workspace has a schedule named {wish.name!r}.",
            next_step=f"Change it: PUT …/{existing.job_id}/schedules/{existing.id}.",
            details={"id": existing.id},
        )
    made, _ = schedules.save(
        session, actor.workspace_id, job_id, actor.id, wish.model_dump(mode="json")
    )
    audit.record(session, actor, "schedule.create", made.id, after=_summary(made))
    return made


def replace(
    session: Session, actor: Actor, schedule_id: str, wish: Wish, generation: int
) -> Schedule:
    """Change a schedule from now on; its later runs have the rights of whoever changed it."""
    access.require(session, actor, "workflows:write")
    found = get(session, actor, schedule_id)
    _at_generation(found, generation)
    _check_job(session, actor, found.job_id, wish)
    before = _summary(found)
    schedules.change(found, actor=actor.id, **wish.model_dump(mode="json"))
    audit.record(session, actor, "schedule.replace", found.id, before=before, after=_summary(found))
    return found


def set_paused(
    session: Session, actor: Actor, schedule_id: str, paused: bool, note: str
) -> Schedule:
    """Stop firing, or fire again; the same again changes nothing."""
    access.require(session, actor, "workflows:write")
    found = get(session, actor, schedule_id)
    if (found.paused, found.note) != (paused, note):
        schedules.change(found, paused=paused, note=note)
        verb = "schedule.pause" if paused else "schedule.unpause"
        audit.record(session, actor, verb, found.id, after={"note": note})
    return found


def delete(session: Session, actor: Actor, schedule_id: str, generation: int) -> Schedule:
    """Wish a schedule gone; its runs stay."""
    access.require(session, actor, "workflows:write")
    found = get(session, actor, schedule_id)
    _at_generation(found, generation)
    schedules.change(found, deleted=True)
    audit.record(session, actor, "schedule.delete", found.id, before=_summary(found))
    return found


def get(session: Session, actor: Actor, schedule_id: str) -> Schedule:
    """Return the schedule; raise NotFound also for another workspace's."""
    access.require(session, actor, "workflows:read")
    found = schedules.get(session, schedule_id)
    access.same_workspace(actor, found.workspace_id, f"schedule {schedule_id!r}")
    if found.deleted:
        raise NotFound(f"The schedule {found.name!r} was deleted.")
    return found


def listed(
    session: Session, actor: Actor, *, job_id: str | None, limit: int, cursor: str | None
) -> Page[Schedule]:
    """Return the schedules of the workspace or of one of its jobs, newest first."""
    access.require(session, actor, "workflows:read")
    if job_id is not None:
        workflows.get(session, actor, job_id)
    return schedules.listed(session, actor.workspace_id, job_id=job_id, limit=limit, cursor=cursor)


def allow_trigger(session: Session, actor: Actor, schedule_id: str) -> Schedule:
    """Note that the schedule is fired by hand; the caller commits, then triggers it."""
    access.require(session, actor, "workflows:run")
    found = get(session, actor, schedule_id)
    audit.record(session, actor, "schedule.trigger", found.id)
    return found


def preview(session: Session, actor: Actor, wish: Wish, count: int) -> list[datetime]:
    """Return the next moments of a schedule that is not saved, as croniter reads its line."""
    access.require(session, actor, "workflows:read")
    return upcoming(wish.cron, wish.time_zone, datetime.now(UTC), count)


async def apply(db: Database, client: Client, schedule_id: str) -> None:
    """Give Temporal the schedule as the row has it, or take it away; doing it again is harmless.

    Raises Unavailable when Temporal does not answer: the reconciler applies it later.
    """
    row, job = await asyncio.to_thread(_read, db, schedule_id)
    try:
        if row.deleted:
            await _take_away(client, row)
        else:
            await _upsert(client, row, job)
    except RPCError as fault:
        raise outage(fault) from fault
    await asyncio.to_thread(_mark, db, row)


async def trigger(db: Database, client: Client, schedule: Schedule) -> None:
    """Fire once now, under the schedule's own overlap policy.

    Temporal names a firing by its second: where runs may overlap, two of one second are one.
    """
    await apply(db, client, schedule.id)
    try:
        await client.get_schedule_handle(temporal_id(schedule)).trigger(rpc_timeout=_RPC)
    except RPCError as fault:
        raise outage(fault) from fault


async def matching_times(
    client: Client, schedule: Schedule, count: int, *, since: datetime | None = None
) -> list[datetime]:
    """Return the next moments at which Temporal itself will fire, without jitter."""
    now = since or datetime.now(UTC)
    estimate = upcoming(schedule.cron, schedule.time_zone, now, count)
    request = ListScheduleMatchingTimesRequest(
        namespace=client.namespace,
        schedule_id=temporal_id(schedule),
        start_time=_timestamp(now),
        # A little more than croniter says: where clocks change, the two may differ.
        end_time=_timestamp(estimate[-1] + timedelta(days=2) if estimate else now),
    )
    try:
        found = await client.workflow_service.list_schedule_matching_times(request, timeout=_RPC)
    except RPCError as fault:
        raise outage(fault) from fault
    return [moment.ToDatetime(tzinfo=UTC) for moment in found.start_time][:count]


def temporal_id(schedule: Schedule) -> str:
    return f"sched:{schedule.workspace_id}:{schedule.id}"


class Duty:
    """The reconciler's part: what is not applied is applied, and what vanished is made again."""

    def __init__(self, db: Database, client: Client, *, look_every: float = 60.0) -> None:
        self._db = db
        self._client = client
        self._look_every = timedelta(seconds=look_every)
        self._looked_at = datetime.fromtimestamp(0, UTC)

    async def __call__(self) -> None:
        for schedule_id in await asyncio.to_thread(self._ids, schedules.unapplied):
            try:
                await apply(self._db, self._client, schedule_id)
            except RacineError as fault:
                _log.warning("schedule_not_applied", schedule=schedule_id, reason=str(fault))
        if datetime.now(UTC) - self._looked_at >= self._look_every:
            await self._look()
            self._looked_at = datetime.now(UTC)

    async def _look(self) -> None:
        """Make again what Temporal lost, as after a new namespace or somebody's delete."""
        there = {found.id async for found in await self._client.list_schedules(rpc_timeout=_RPC)}
        for schedule_id in await asyncio.to_thread(self._ids, schedules.kept):
            row, job = await asyncio.to_thread(_read, self._db, schedule_id)
            if temporal_id(row) not in there:
                await _upsert(self._client, row, job)

    def _ids(self, query: Callable[[Session], Any]) -> list[str]:
        with self._db.read() as session:
            return list(query(session))


async def _upsert(client: Client, row: Schedule, job: str) -> None:
    wish = _temporal(row, job)
    try:
        await client.create_schedule(temporal_id(row), wish, rpc_timeout=_RPC)
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(temporal_id(row))
        await handle.update(lambda _: ScheduleUpdate(schedule=wish), rpc_timeout=_RPC)


async def _take_away(client: Client, row: Schedule) -> None:
    try:
        await client.get_schedule_handle(temporal_id(row)).delete(rpc_timeout=_RPC)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise


def _temporal(row: Schedule, job: str) -> TemporalSchedule:
    return TemporalSchedule(
        action=ScheduleActionStartWorkflow(
            RacineScheduledRun.run,
            ScheduledStart(schedule_id=row.id, workspace_id=row.workspace_id),
            id=f"fire:{row.id}",
            task_queue=WORKFLOW_QUEUE,
            static_summary=f"{job} · schedule {row.name}",
        ),
        spec=ScheduleSpec(
            cron_expressions=[row.cron],
            time_zone_name=row.time_zone,
            jitter=timedelta(seconds=row.jitter_seconds),
        ),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy[row.overlap.upper()],
            catchup_window=timedelta(seconds=row.catchup_window_seconds),
        ),
        state=ScheduleState(paused=row.paused, note=row.note),
    )


def _read(db: Database, schedule_id: str) -> tuple[Schedule, str]:
    with db.read() as session:
        row = schedules.get(session, schedule_id)
        return row, jobs.get(session, row.job_id).name


def _mark(db: Database, row: Schedule) -> None:
    with db.write() as session:
        if row.deleted:
            schedules.remove(session, row.id, row.generation)
        else:
            schedules.mark_applied(session, row.id, row.generation)


def _check_job(session: Session, actor: Actor, job_id: str, wish: Wish) -> None:
    version = workflows.version(session, actor, job_id)
    document = JobDocument.model_validate(version.document)
    access.require_operations(session, actor, document)
    parameters.bind(document.parameters, wish.parameters)


def _at_generation(schedule: Schedule, generation: int) -> None:
    if schedule.generation != generation:
        raise PreconditionFailed(
            f"The schedule {schedule.name!r} changed since you read it.",
            next_step="Read it again, then send If-Match with its ETag.",
        )


def _summary(schedule: Schedule) -> dict[str, Any]:
    fields = ("name", "cron", "time_zone", "overlap", "catchup_window_seconds", "jitter_seconds")
    return {field: getattr(schedule, field) for field in fields}


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment.astimezone(UTC))
    return stamp
