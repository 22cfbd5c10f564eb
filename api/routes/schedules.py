"""Schedules: when jobs run by themselves."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Me, Racine, ReadSession, State, Transaction
from api.pages import Cursor, Items, Limit
from api.preconditions import ExpectedVersion, etag
from racine.definitions.schedules import ScheduleSpec
from racine.errors import Unavailable
from services import schedules
from services.schedules import Schedule

router = APIRouter(prefix="/api/racine", tags=["schedules"])

Count = Annotated[int, Query(ge=1, le=50)]


class ScheduleAnswer(BaseModel):
    id: str
    job_id: str
    name: str
    cron: str
    time_zone: str
    overlap: str
    catchup_window_seconds: int
    jitter_seconds: int
    parameters: dict[str, Any]
    paused: bool
    note: str
    applied: bool = Field(description="Whether Temporal has it as it stands here.")
    created_at: datetime

    model_config = ConfigDict(from_attributes=True)


class Fires(BaseModel):
    times: list[datetime] = Field(description="In UTC, without jitter.")
    read_by: str = Field(description="`temporal`, whose word counts, or `croniter`.")


class Pause(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"note": "until the migration is done"}}
    )

    note: str = Field(default="", max_length=400)


@router.get("/schedules", operation_id="list_schedules")
def list_schedules(
    session: ReadSession, me: Me, limit: Limit = 50, cursor: Cursor = None
) -> Items[ScheduleAnswer]:
    """List the workspace's schedules, newest first."""
    found = schedules.listed(session, me, job_id=None, limit=limit, cursor=cursor)
    return Items[ScheduleAnswer](
        items=[_answer(s) for s in found.items], next_cursor=found.next_cursor
    )


@router.post("/schedules/preview", operation_id="preview_schedule")
def preview(body: ScheduleSpec, session: ReadSession, me: Me, count: Count = 5) -> Fires:
    """Tell when a schedule that is not saved yet would fire."""
    return Fires(times=schedules.preview(session, me, body, count), read_by="croniter")


@router.get("/workflows/{job_id}/schedules", operation_id="list_workflow_schedules")
def list_of_job(
    job_id: str, session: ReadSession, me: Me, limit: Limit = 50, cursor: Cursor = None
) -> Items[ScheduleAnswer]:
    """List a job's schedules, newest first."""
    found = schedules.listed(session, me, job_id=job_id, limit=limit, cursor=cursor)
    return Items[ScheduleAnswer](
        items=[_answer(s) for s in found.items], next_cursor=found.next_cursor
    )


@router.post(
    "/workflows/{job_id}/schedules",
    operation_id="create_schedule",
    status_code=status.HTTP_201_CREATED,
)
def create(
    job_id: str,
    body: ScheduleSpec,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
) -> ScheduleAnswer:
    """Let a job run by itself."""
    with transaction() as session:
        made = schedules.create(session, me, job_id, body)
    response.headers["Location"] = f"{router.prefix}/schedules/{made.id}"
    return _applied(racine, made, response)


@router.get("/schedules/{schedule_id}", operation_id="get_schedule")
def get(schedule_id: str, session: ReadSession, me: Me, response: Response) -> ScheduleAnswer:
    """Read one schedule."""
    found = schedules.get(session, me, schedule_id)
    response.headers["ETag"] = etag(found.generation)
    return _answer(found)


@router.put("/schedules/{schedule_id}", operation_id="replace_schedule")
def replace(
    schedule_id: str,
    body: ScheduleSpec,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    expected: ExpectedVersion,
    response: Response,
) -> ScheduleAnswer:
    """Change a schedule; its later runs have the rights of whoever changed it."""
    with transaction() as session:
        changed = schedules.replace(session, me, schedule_id, body, expected)
    return _applied(racine, changed, response)


@router.delete(
    "/schedules/{schedule_id}",
    operation_id="delete_schedule",
    status_code=status.HTTP_204_NO_CONTENT,
)
def delete(
    schedule_id: str, transaction: Transaction, racine: Racine, me: Me, expected: ExpectedVersion
) -> None:
    """Delete a schedule; its runs stay."""
    with transaction() as session:
        gone = schedules.delete(session, me, schedule_id, expected)
    _apply(racine, gone)


@router.post("/schedules/{schedule_id}/pause", operation_id="pause_schedule")
def pause(
    schedule_id: str,
    body: Pause,
    transaction: Transaction,
    racine: Racine,
    me: Me,
    response: Response,
) -> ScheduleAnswer:
    """Stop firing until it is unpaused; what runs goes on."""
    with transaction() as session:
        changed = schedules.set_paused(session, me, schedule_id, True, body.note)
    return _applied(racine, changed, response)


@router.post("/schedules/{schedule_id}/unpause", operation_id="unpause_schedule")
def unpause(
    schedule_id: str, transaction: Transaction, racine: Racine, me: Me, response: Response
) -> ScheduleAnswer:
    """Fire again."""
    with transaction() as session:
        changed = schedules.set_paused(session, me, schedule_id, False, "")
    return _applied(racine, changed, response)


@router.post(
    "/schedules/{schedule_id}/trigger",
    operation_id="trigger_schedule",
    status_code=status.HTTP_202_ACCEPTED,
)
def trigger(schedule_id: str, transaction: Transaction, racine: Racine, me: Me) -> ScheduleAnswer:
    """Fire once now, under the schedule's overlap policy; 503 while Temporal does not answer."""
    with transaction() as session:
        found = schedules.allow_trigger(session, me, schedule_id)
    anyio.from_thread.run(schedules.trigger, racine.db, racine.temporal, found)
    return _answer(found)


@router.get("/schedules/{schedule_id}/preview", operation_id="get_schedule_preview")
def fires(
    schedule_id: str, session: ReadSession, racine: Racine, me: Me, count: Count = 5
) -> Fires:
    """Tell when the schedule will fire, as Temporal has it."""
    found = schedules.get(session, me, schedule_id)
    times = anyio.from_thread.run(schedules.matching_times, racine.temporal, found, count)
    return Fires(times=times, read_by="temporal")


def _applied(racine: State, schedule: Schedule, response: Response) -> ScheduleAnswer:
    response.headers["ETag"] = etag(schedule.generation)
    return _answer(schedule, applied=_apply(racine, schedule))


def _apply(racine: State, schedule: Schedule) -> bool:
    """Bring Temporal in line now; without it the reconciler does so later."""
    with suppress(Unavailable):
        anyio.from_thread.run(schedules.apply, racine.db, racine.temporal, schedule.id)
        return True
    return False


def _answer(schedule: Schedule, *, applied: bool | None = None) -> ScheduleAnswer:
    there = schedule.applied == schedule.generation if applied is None else applied
    values = {key: getattr(schedule, key) for key in ScheduleAnswer.model_fields}
    return ScheduleAnswer.model_validate(values | {"applied": there})
