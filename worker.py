"""Composition root of the workers: `python worker.py workflows|activities`."""

import asyncio
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.events import EventSink
from activities.names import ACTIVITY_QUEUE, WORKFLOW_QUEUE
from activities.operations import activities
from activities.runs import RunActivities
from models.session import Database
from models.temporal import connect
from workflows.job import RacineJob

_GRACE = timedelta(seconds=20)
_SLOTS = 32


def workflow_worker(client: Client) -> Worker:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        "racine", "models", "activities", "cel_expr_python"
    )
    return Worker(
        client,
        task_queue=WORKFLOW_QUEUE,
        workflows=[RacineJob],
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        graceful_shutdown_timeout=_GRACE,
    )


def activity_worker(client: Client, db: Database, sink: EventSink) -> Worker:
    return Worker(
        client,
        task_queue=ACTIVITY_QUEUE,
        activities=[*activities(db, sink), RunActivities(db, sink).finish],
        activity_executor=ThreadPoolExecutor(_SLOTS, thread_name_prefix="activity"),
        max_concurrent_activities=_SLOTS,
        graceful_shutdown_timeout=_GRACE,
    )


async def serve(role: str) -> None:
    client = await connect(os.environ.get("RACINE_TEMPORAL_ADDRESS", "127.0.0.1:7233"))
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if role == "workflows":
        async with workflow_worker(client):
            await stop.wait()
        return
    db = Database(os.environ["RACINE_DATABASE_URL"], pool_size=_SLOTS + 2)
    sink = EventSink(db)
    try:
        async with activity_worker(client, db, sink):
            await stop.wait()
    finally:
        sink.close()
        db.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
