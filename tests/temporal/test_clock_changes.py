"""Schedules where clocks change: Temporal's matching times, what the preview says, what fires."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.client import ScheduleBackfill, ScheduleOverlapPolicy

from models.stores import schedules
from models.stores.schedules import Schedule
from models.tables.runs import Run
from racine.definitions.schedules import ScheduleSpec
from services import schedules as service
from tests.temporal.conftest import Stack

JOB: dict[str, Any] = {"name": "tick", "tasks": [{"task_key": "a", "noop_task": {}}]}

CHANGES = [
    # Forward: 02:30 does not exist on 29 March 2026 in Berlin; that day has no run.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", 3, ["30T00:30", "31T00:30", "01T00:30"]),
    # Back: clocks in Berlin show 02:30 twice on 25 October 2026; Temporal takes the second.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", 2, ["25T01:30", "26T01:30"]),
    # Forward in New York, 8 March 2026: the hours go 01 EST, 03 EDT, and none is missed.
    ("0 * * * *", "America/New_York", "2026-03-08T05:30", 3, ["08T06:00", "08T07:00", "08T08:00"]),
    # Back in New York, 1 November 2026: here Temporal takes both 01:15, EDT and EST.
    ("15 1 * * *", "America/New_York", "2026-10-31T12:00", 2, ["01T05:15", "01T06:15"]),
    # Back by half an hour: clocks on Lord Howe show 01:45 twice; Temporal takes the second.
    ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00", 2, ["04T15:15", "05T15:15"]),
    # No changes at all.
    ("30 2 * * *", "Asia/Kolkata", "2026-03-28T12:00", 2, ["28T21:00", "29T21:00"]),
]


@pytest.fixture(autouse=True)
def no_schedule_left(stack: Stack) -> Iterator[None]:
    yield
    client = stack.temporal.client

    async def clean() -> None:
        async for found in await client.list_schedules():
            await client.get_schedule_handle(found.id).delete()

    stack.temporal.run(clean())


def make(stack: Stack, cron: str, zone: str, **more: Any) -> Schedule:
    wish = {"name": "nightly", "cron": cron, "time_zone": zone, "overlap": "buffer_all", **more}
    job_id = stack.save(JOB)
    with stack.db.write() as session:
        made = service.create(session, stack.actor, job_id, ScheduleSpec.model_validate(wish))
    stack.temporal.run(service.apply(stack.db, stack.temporal.client, made.id))
    with stack.db.read() as session:
        return schedules.get(session, made.id)


def _fired(session: Session) -> list[datetime]:
    found = session.scalars(select(Run.scheduled_for).order_by(Run.scheduled_for)).all()
    return [moment for moment in found if moment is not None]


@pytest.mark.parametrize(("cron", "zone", "since", "count", "expected"), CHANGES)
def test_each_slot_fires_once_as_the_preview_says(
    stack: Stack, cron: str, zone: str, since: str, count: int, expected: list[str]
) -> None:
    schedule = make(stack, cron, zone)
    begin = datetime.fromisoformat(since).replace(tzinfo=UTC)
    client = stack.temporal.client
    foreseen = stack.temporal.run(service.matching_times(client, schedule, count, since=begin))
    assert [f"{moment:%dT%H:%M}" for moment in foreseen] == expected
    # Temporal's own backfill fires the schedule for each of its moments in the past or the future.
    handle = client.get_schedule_handle(service.temporal_id(schedule))
    span = ScheduleBackfill(
        start_at=begin, end_at=foreseen[-1] + timedelta(seconds=1),
        overlap=ScheduleOverlapPolicy.BUFFER_ALL,
    )  # fmt: skip
    stack.temporal.run(handle.backfill(span))
    stack.wait_for(lambda session: len(_fired(session)) >= count or None, 60)
    with stack.db.read() as session:
        assert _fired(session) == foreseen


def test_jitter_moves_the_start_and_not_what_the_run_stands_for(stack: Stack) -> None:
    schedule = make(stack, "0 3 * * *", "UTC", jitter_seconds=600)
    begin = datetime(2026, 5, 1, tzinfo=UTC)
    foreseen = stack.temporal.run(
        service.matching_times(stack.temporal.client, schedule, 3, since=begin)
    )
    assert [moment.isoformat()[:13] for moment in foreseen] == [
        "2026-05-01T03", "2026-05-02T03", "2026-05-03T03",
    ]  # fmt: skip
    handle = stack.temporal.client.get_schedule_handle(service.temporal_id(schedule))
    described = stack.temporal.run(handle.describe()).schedule
    assert described.spec.jitter == timedelta(minutes=10)
    assert described.policy.catchup_window == timedelta(hours=1)
