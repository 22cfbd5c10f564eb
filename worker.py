"""Composition root of the workers: `python worker.py workflows|activities`."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.attempts import Attempts
from activities.child_runs import ChildRunActivities
from activities.events import EventSink
from activities.health import HealthActivities
from activities.heartbeats import Heartbeats
from activities.http import HttpTasks
from activities.loops import LoopActivities
from activities.names import WORKFLOW_QUEUE, queue_named
from activities.operations import activities
from activities.pools import PoolActivities
from activities.python.bundles import BundleCache
from activities.python.pool import PythonPool
from activities.python.tasks import PythonTasks
from activities.quality import QualityTasks
from activities.runs import RunActivities
from activities.schedules import ScheduleActivities
from activities.sql import SqlTasks
from models import logs
from models.collecting import collect_seldom
from models.session import Database
from models.settings import Settings
from models.temporal import connect, worker_runtime
from racine import registry
from racine.errors import RacineError
from services import blobs, bundles, firings, leases, orphans, schedules, summaries, turns, vigils
from services.reconciler import Reconciler
from workflows.answers import Answers
from workflows.job import RacineJob
from workflows.loop import RacineLoop
from workflows.sandbox import Sandbox
from workflows.scheduled import RacineScheduledRun

log = structlog.get_logger(__name__)

_GRACE = timedelta(seconds=20)
_SLOTS = 32
_THROTTLE = timedelta(seconds=1)
"""Beats of one attempt reach the server this often at most; its answer carries a cancellation."""


def workflow_worker(client: Client, *, patient: bool = False) -> Worker:
    """Return the worker of all workflows; a patient one gives an activation all its time.

    Else the SDK takes one of over two seconds for a deadlock, tries it again elsewhere, and
    interrupts its thread.
    """
    return Worker(
        client,
        task_queue=WORKFLOW_QUEUE,
        workflows=[RacineJob, RacineLoop, RacineScheduledRun],
        workflow_runner=Sandbox(),
        interceptors=[Answers()],
        # Any other error would retry the workflow task for ever, which only a real bug should.
        workflow_failure_exception_types=[RacineError],
        graceful_shutdown_timeout=_GRACE,
        debug_mode=patient,
    )


@dataclass(frozen=True)
class Parts:
    """What the activities of one process share."""

    attempts: Attempts
    python: PythonTasks


def activity_worker(client: Client, parts: Parts, queue: str | None = None) -> Worker:
    """Return a worker of one queue: the one for all tasks, or a named one."""
    attempts = parts.attempts
    db, sink, loop = attempts.db, attempts.sink, asyncio.get_running_loop()
    starter, teller = turns.Starter(db, client, loop), leases.Teller(db, client, loop)
    own, loops = RunActivities(db, sink, starter, teller), LoopActivities(db, attempts.heartbeats)
    pools = PoolActivities(db, sink, teller)
    children = ChildRunActivities(db, sink, starter)
    return Worker(
        client,
        task_queue=queue_named(queue),
        activities=[
            *activities(attempts),
            own.finish,
            own.record,
            pools.acquire,
            pools.release,
            loops.expand,
            loops.slice,
            loops.collect,
            parts.python.run,
            SqlTasks(attempts).run,
            HttpTasks(attempts).run,
            HealthActivities(db).breach,
            QualityTasks(attempts).run,
            ScheduleActivities(attempts.db).record,
            children.record,
            children.look,
            children.leave,
        ],
        activity_executor=ThreadPoolExecutor(_SLOTS, thread_name_prefix="activity"),
        max_concurrent_activities=_SLOTS,
        max_heartbeat_throttle_interval=_THROTTLE,
        graceful_shutdown_timeout=_GRACE,
    )


@contextlib.contextmanager
def opened(
    db: Database, data_dir: Path, *, folders: Sequence[Path] = (), memory_megabytes: int = 2048
) -> Iterator[Parts]:
    """Open what activities need beside the database; what is buffered is written at the end.

    `data_dir` holds what outlives the process, `folders` the code of python tasks.
    """
    sink, heartbeats = EventSink(db, data_dir / "events"), Heartbeats()
    pool = PythonPool(memory_megabytes=memory_megabytes)
    attempts = Attempts(db, sink, heartbeats)
    try:
        names, cache = [str(folder) for folder in folders], BundleCache(db, data_dir / "bundles")
        yield Parts(attempts, PythonTasks(attempts, pool, names, cache))
    finally:
        pool.close()
        heartbeats.close()
        sink.close()


async def serve(role: str, settings: Settings, queues: Sequence[str] = ()) -> None:
    """Serve one role until SIGTERM or SIGINT, then let open attempts end.

    An activity worker with `queues` takes the tasks that name them, and nothing else.
    """
    registry.load(settings.operations)
    client = await connect(
        settings.temporal_address, settings.temporal_namespace, runtime=worker_runtime()
    )
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    if role == "workflows":
        await _until(stop, workflow_worker(client), role)
        return
    db = Database(settings.database_url, pool_size=_SLOTS + 2)
    try:
        folders, megabytes = settings.python_paths, settings.python_memory_megabytes
        with opened(db, settings.data_dir, folders=folders, memory_megabytes=megabytes) as parts:
            parts.python.warm()
            if queues:
                workers = [activity_worker(client, parts, queue) for queue in queues]
                await asyncio.gather(*(_until(stop, worker, role) for worker in workers))
                return
            async with asyncio.TaskGroup() as beside:
                reconciler = Reconciler(
                    db,
                    client,
                    also=[
                        turns.Duty(db, client),
                        vigils.Duty(db, client),
                        firings.Duty(db, client),
                        leases.Duty(db, client),
                        orphans.Duty(db, client),
                        schedules.Duty(db, client),
                        summaries.Duty(db),
                        bundles.Duty(db),
                        blobs.Duty(db, timedelta(days=settings.blob_retention_days)),
                    ],
                )
                beside.create_task(reconciler.serve(stop))
                await _until(stop, activity_worker(client, parts), role)
    finally:
        db.close()


async def _until(stop: asyncio.Event, worker: Worker, role: str) -> None:
    async with worker:
        log.info("worker_started", role=role, task_queue=worker.task_queue)
        await stop.wait()
        log.info("worker_stopping", role=role, grace_seconds=_GRACE.total_seconds())


ROLES = ("workflows", "activities")

if __name__ == "__main__":
    role, *queues = sys.argv[1:] or [""]
    if role not in ROLES or (queues and role != "activities"):
        sys.exit("usage: worker.py workflows | worker.py activities [QUEUE …]")
    configured = Settings()
    logs.configure(configured)
    collect_seldom()
    asyncio.run(serve(role, configured, queues))
