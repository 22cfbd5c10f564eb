"""Schedules are brought in line with their rows, and jobs can ask for one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import ScheduleDescription

from models.stores import runs, schedules
from racine.definitions.schedules import ScheduleSpec, upcoming
from services import schedules as service
from services.schedules import Duty
from tests.temporal.conftest import Stack

ECHO: dict[str, Any] = {
    "name": "echo",
    "parameters": [{"name": "value", "schema": {"type": "integer"}, "required": True}],
    "tasks": [
        {
            "task_key": "watch",
            "operation_task": {
                "operation": "scan_logic.schedule_monitoring",
                "input": {"name": "echo-nightly", "cron": "0 1 * * *"},
            },
        }
    ],
}


@pytest.fixture(autouse=True)
def no_schedule_left(idle_stack: Stack) -> Iterator[None]:
    yield
    client = idle_stack.temporal.client

    async def clean() -> None:
        async for found in await client.list_schedules():
            await client.get_schedule_handle(found.id).delete()

    idle_stack.temporal.run(clean())


def wish(stack: Stack, job_id: str, **changes: Any) -> str:
    spec = ScheduleSpec.model_validate(
        {"name": "nightly", "cron": "0 1 * * *", "parameters": {"value": 1}} | changes
    )
    with stack.db.write() as session:
        return service.create(session, stack.actor, job_id, spec).id


def described(stack: Stack, schedule_id: str) -> ScheduleDescription:
    handle = stack.temporal.client.get_schedule_handle(f"sched:ws_1:{schedule_id}")
    return stack.temporal.run(handle.describe())


def test_the_reconciler_applies_wishes_and_makes_again_what_vanished(idle_stack: Stack) -> None:
    schedule_id = wish(idle_stack, idle_stack.save(ECHO))
    client = idle_stack.temporal.client
    idle_stack.temporal.run(Duty(idle_stack.db, client)())
    assert described(idle_stack, schedule_id).schedule.spec.calendars[0].hour[0].start == 1
    with idle_stack.db.read() as session:
        assert schedules.unapplied(session) == []
    idle_stack.temporal.run(client.get_schedule_handle(f"sched:ws_1:{schedule_id}").delete())
    idle_stack.temporal.run(Duty(idle_stack.db, client)())
    assert described(idle_stack, schedule_id).id == f"sched:ws_1:{schedule_id}"
    with idle_stack.db.write() as session:
        schedules.change(schedules.get(session, schedule_id), deleted=True)
    idle_stack.temporal.run(Duty(idle_stack.db, client)())
    with idle_stack.db.read() as session:
        assert schedules.find(session, "ws_1", "nightly") is None


def test_a_job_asks_for_its_own_schedule_once(stack: Stack) -> None:
    job_id = stack.save(ECHO)
    changed = []
    for _ in range(2):
        run_id = stack.start(job_id, value=3)
        assert stack.result(run_id).state == "completed"
        with stack.db.read() as session:
            found = schedules.listed(session, "ws_1", job_id=job_id, limit=10, cursor=None)
        (made,) = found.items
        changed.append(made.generation)
    assert changed == [1, 1]
    assert (made.name, made.parameters, made.overlap) == ("echo-nightly", {"value": 3}, "skip")


def test_a_firing_whose_parameters_no_longer_fit_is_a_failed_run(stack: Stack) -> None:
    job_id = stack.save(ECHO)
    schedule_id = wish(stack, job_id)
    with stack.db.write() as session:
        schedules.change(schedules.get(session, schedule_id), parameters={"value": "one"})
        row = schedules.get(session, schedule_id)
    stack.temporal.run(service.trigger(stack.db, stack.temporal.client, row))
    run = stack.wait_for(lambda session: _last_run(session, job_id))
    assert run.state == "failed"
    assert run.error is not None
    assert run.error["code"] == "invalid_input"


def _last_run(session: Any, job_id: str) -> Any:
    found = runs.listed(session, "ws_1", runs.Which(job_id=job_id), limit=1, cursor=None).items
    return found[0] if found else None


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("30 2 * * *", "Europe/Berlin"),
        ("0 0 1 * *", "America/New_York"),
        ("*/15 9-17 * * MON-FRI", "Asia/Kolkata"),
        ("0 12 * 1,6 0", "UTC"),
        ("5 4 * * 7", "Australia/Lord_Howe"),
    ],
)
def test_temporal_reads_a_cron_line_as_we_do(idle_stack: Stack, cron: str, zone: str) -> None:
    schedule_id = wish(idle_stack, idle_stack.save(ECHO), cron=cron, time_zone=zone)
    client = idle_stack.temporal.client
    idle_stack.temporal.run(service.apply(idle_stack.db, client, schedule_id))
    with idle_stack.db.read() as session:
        row = schedules.get(session, schedule_id)
    told = idle_stack.temporal.run(service.matching_times(client, row, 10))
    expected = upcoming(cron, zone, datetime.now(UTC), 10)
    assert told == expected
