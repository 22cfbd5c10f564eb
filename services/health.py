"""Whether the parts work, and if not, why: each answer is measured when it is asked for."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from temporalio.api.enums.v1 import TaskQueueType, WorkerStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, ListWorkersRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.names import ACTIVITY_QUEUE, WORKFLOW_QUEUE
from models import revision
from models.session import Database
from models.temporal import WORKER_HEARTBEAT
from racine import registry

PROBE = timedelta(seconds=3)

ALIVE = 2 * WORKER_HEARTBEAT + timedelta(seconds=2)
"""A worker that missed two reports is gone: the third would be due within 15 s of its death."""

_POLLED = timedelta(seconds=75)
"""A poll waits for up to a minute, so a worker without reports is seen that rarely."""

_KINDS = {
    WORKFLOW_QUEUE: TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    ACTIVITY_QUEUE: TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


@dataclass(frozen=True)
class Part:
    """One part: whether it works, and the reason when it does not."""

    name: str
    ok: bool
    reason: str = ""
    milliseconds: float | None = None


@dataclass(frozen=True)
class Queue:
    """A task queue and how many workers take from it; None when nobody could be asked."""

    name: str
    workers: int | None
    reason: str = ""


@dataclass(frozen=True)
class Health:
    parts: list[Part]
    queues: list[Queue]
    groups: list[Part]

    @property
    def ok(self) -> bool:
        return all(part.ok for part in (*self.parts, *self.groups))


async def stored(db: Database) -> list[Part]:
    """Return the database and its migrations, each answered within the probe's time."""
    return list(
        await asyncio.gather(
            _probe("database", db, _answers), _probe("migrations", db, _is_migrated)
        )
    )


async def everything(db: Database, temporal: Part, client: Client | None) -> Health:
    """Return the state of the parts, the queues and the seven groups."""
    parts = [*await stored(db), temporal]
    found = await queues(client)
    return Health(parts, found, _groups(parts, found))


async def _probe(name: str, db: Database, look: Callable[[Session], str]) -> Part:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE.total_seconds()):
            reason = await asyncio.to_thread(_look, db, look)
    except TimeoutError:
        reason = f"No answer within {PROBE.total_seconds():g} s."
    except SQLAlchemyError as error:
        # The message of a driver may hold the address with its password.
        reason = f"It refused: {type(error).__name__}."
    taken = round((time.perf_counter() - began) * 1000, 1)
    return Part(name, not reason, reason, taken)


def _look(db: Database, look: Callable[[Session], str]) -> str:
    with db.read() as session:
        return look(session)


def _answers(session: Session) -> str:
    session.execute(select(1))
    return ""


def _is_migrated(session: Session) -> str:
    found, wanted = revision.current(session), revision.head()
    if found == wanted:
        return ""
    return f"It is at {found}, this release needs {wanted}. Run `racine migrate`."


async def queues(client: Client | None, more: Collection[str] = ()) -> list[Queue]:
    """Return the task queues, and `more` of activities, with how many workers take from each."""
    names = list(dict.fromkeys([*_KINDS, *sorted(more)]))
    if client is None:
        return [Queue(name, None, "Temporal does not answer.") for name in names]
    try:
        return [await _queue(client, name) for name in names]
    except RPCError as error:
        return [Queue(name, None, f"Temporal refused: {error.status.name}.") for name in names]


async def _queue(client: Client, name: str) -> Queue:
    told = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=name),
            task_queue_type=_KINDS.get(name, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        ),
        timeout=PROBE,
    )
    alive, doubted = await _reporting(client, name)
    polled = {
        poller.identity
        for poller in told.pollers
        if _polls(poller.last_access_time.ToDatetime(tzinfo=UTC), doubted.get(poller.identity))
    }
    workers = alive | polled
    return Queue(name, len(workers), "" if workers else _unserved(name))


def _unserved(name: str) -> str:
    own = name.removeprefix(f"{ACTIVITY_QUEUE}.")
    if own == name:
        return f"No worker takes from {name}. Start worker.py."
    return f"No worker serves the queue {own!r}. Start worker.py activities {own}."


async def _reporting(client: Client, queue: str) -> tuple[set[str], dict[str, datetime]]:
    """Return the workers whose reports come in, and until when to disbelieve the others' polls.

    The server remembers a poller for minutes after its death; a report that stays away tells more.
    """
    try:
        told = await client.workflow_service.list_workers(
            ListWorkersRequest(namespace=client.namespace, page_size=1000), timeout=PROBE
        )
    except RPCError:
        # Servers before 1.30 keep no reports; their pollers must do.
        return set(), {}
    alive: set[str] = set()
    doubted: dict[str, datetime] = {}
    for info in told.workers_info:
        report = info.worker_heartbeat
        if report.task_queue != queue:
            continue
        stopped = report.status == WorkerStatus.WORKER_STATUS_SHUTDOWN
        reported = report.heartbeat_time.ToDatetime(tzinfo=UTC)
        if not stopped and _age(reported) < ALIVE:
            alive.add(report.worker_identity)
        else:
            # Another worker of the same process has the same identity and may poll later.
            until = reported if stopped else reported + ALIVE
            before = doubted.get(report.worker_identity, until)
            doubted[report.worker_identity] = max(until, before)
    return alive, doubted


def _polls(last: datetime, doubted_until: datetime | None) -> bool:
    return _age(last) < _POLLED and (doubted_until is None or last > doubted_until)


def _age(moment: datetime) -> timedelta:
    return datetime.now(UTC) - moment


def _groups(parts: list[Part], queues: list[Queue]) -> list[Part]:
    """A group works when what its operations need does: the store, and workers to perform them."""
    broken = [f"{part.name}: {part.reason}" for part in parts if not part.ok]
    idle = [queue.reason for queue in queues if not queue.workers]
    return [
        Part(
            group.name,
            not broken and not (group.operations and idle),
            " ".join(broken + (idle if group.operations else [])),
        )
        for group in registry.groups()
    ]
