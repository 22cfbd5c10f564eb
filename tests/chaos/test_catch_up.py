"""What schedules missed while Temporal was down is made up for, as far back as each one says."""

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from temporalio.client import Client

from models.session import Database
from models.tables.runs import Run
from models.tables.workspaces import Workspace
from models.temporal import connect
from racine.definitions.schedules import ScheduleSpec
from services import schedules as service
from services import workflows
from services.access import system
from tools.temporal.binary import temporal_binary
from tools.temporal.dev_server import SETTINGS
from worker import activity_worker, opened, workflow_worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

JOB: dict[str, Any] = {"name": "tick", "tasks": [{"task_key": "a", "noop_task": {}}]}


@contextmanager
def temporal(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A server over a file that outlives it."""
    command = [str(temporal_binary()), "server", "start-dev", "--headless", "--ip", "127.0.0.1",
               "--port", str(port), "--db-filename", str(folder / "temporal.db"),
               *SETTINGS]  # fmt: skip
    with (folder / "temporal.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


async def reached(port: int) -> Client:
    deadline = time.monotonic() + 60
    while True:
        try:
            return await connect(f"127.0.0.1:{port}")
        except RuntimeError:
            assert time.monotonic() < deadline, "Temporal did not start"
            await asyncio.sleep(0.1)


def wish(db: Database, name: str, window: int) -> str:
    with db.write() as session:
        job_id = workflows.create(session, system("ws_1"), JOB | {"name": name}).id
        spec = ScheduleSpec.model_validate(
            {"name": name, "cron": "* * * * *", "overlap": "buffer_all",
             "catchup_window_seconds": window}
        )  # fmt: skip
        return service.create(session, system("ws_1"), job_id, spec).id


def moments(db: Database, schedule_id: str) -> list[datetime]:
    with db.read() as session:
        found = session.scalars(select(Run.scheduled_for).where(Run.schedule_id == schedule_id))
        return sorted(moment for moment in found if moment is not None)


async def until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def test_missed_slots_fire_once_within_the_catch_up_window(
    sqlite_db: Database, tmp_path: Path
) -> None:
    with sqlite_db.write() as session:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
    patient, strict = wish(sqlite_db, "patient", 3600), wish(sqlite_db, "strict", 10)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    async def fires(port: int, many: int) -> None:
        """Serve both schedules until the patient one has fired so often."""
        with temporal(tmp_path, port), opened(sqlite_db, tmp_path) as parts:
            client = await reached(port)
            for schedule_id in (patient, strict):
                await service.apply(sqlite_db, client, schedule_id)
            async with workflow_worker(client, patient=True), activity_worker(client, parts):
                deadline = time.monotonic() + 150
                while len(moments(sqlite_db, patient)) < many or not moments(sqlite_db, strict):
                    assert time.monotonic() < deadline, moments(sqlite_db, patient)
                    await asyncio.sleep(0.2)

    async def story() -> None:
        await fires(port, 1)
        last = moments(sqlite_db, patient)[-1]
        # Two slots pass while the server is away, and a third is past the strict one's window.
        await until(last + timedelta(minutes=2, seconds=20))
        await fires(port, 4)

    asyncio.run(story())
    fired = moments(sqlite_db, patient)
    # Each slot of the time away, and of the time since, exactly once.
    assert fired == [fired[0] + timedelta(minutes=n) for n in range(len(fired))]
    # A window of ten seconds makes up for none of those that were missed by more.
    away = set(fired[1:3])
    assert not away & set(moments(sqlite_db, strict))
    assert len(set(moments(sqlite_db, strict))) == len(moments(sqlite_db, strict))
