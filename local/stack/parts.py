"""The four processes of a stack: what each runs, and how one sees that it works."""

import os
import socket
import sys
from pathlib import Path

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from activities.names import ACTIVITY_QUEUE, WORKFLOW_QUEUE
from local.stack.child import Part
from local.stack.ports import HOST, Ports
from local.stack.state import StateFolder
from models.temporal import connect
from tools.temporal.dev_server import SETTINGS

_ROOT = Path(__file__).resolve().parent.parent.parent
_NAMESPACE = "default"


class Temporal:
    """The connection that probes use; made when first asked for."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._client: Client | None = None

    async def client(self) -> Client:
        if self._client is None:
            self._client = await connect(self.address)
        return self._client

    async def answers(self, _pid: int) -> bool:
        client = await self.client()
        return await client.service_client.check_health()

    async def is_polled(self, queue: str, kind: TaskQueueType.ValueType, pid: int) -> bool:
        """Tell whether the process takes tasks of that queue: the server names its pollers."""
        client = await self.client()
        told = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=_NAMESPACE, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
        )
        return any(poller.identity == f"{pid}@{socket.gethostname()}" for poller in told.pollers)


def temporal_part(binary: Path, state: StateFolder, ports: Ports, temporal: Temporal) -> Part:
    command = [
        str(binary), "server", "start-dev", "--ip", HOST, "--port", str(ports.temporal),
        "--ui-port", str(ports.web), "--db-filename", str(state.temporal_db),
        "--log-level", "error", *SETTINGS,
    ]  # fmt: skip
    return Part("temporal", tuple(command), temporal.answers)


def other_parts(ports: Ports, temporal: Temporal) -> list[Part]:
    """Return the parts that need Temporal: both workers and the API."""

    async def takes_workflows(pid: int) -> bool:
        kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
        return await temporal.is_polled(WORKFLOW_QUEUE, kind, pid)

    async def takes_activities(pid: int) -> bool:
        kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
        return await temporal.is_polled(ACTIVITY_QUEUE, kind, pid)

    async def answers(_pid: int) -> bool:
        async with httpx.AsyncClient(trust_env=False) as http:
            return (await http.get(f"http://{HOST}:{ports.api}/readyz")).is_success

    worker = str(_ROOT / "worker.py")
    # -P: a folder `api` where the user stands must not hide ours.
    api = [
        sys.executable, "-P", "-m", "uvicorn", "--app-dir", str(_ROOT), "--factory",
        "api.app:create_app", "--host", HOST, "--port", str(ports.api), "--no-access-log",
        "--timeout-keep-alive", "75",
    ]  # fmt: skip
    return [
        Part("workflows", (sys.executable, worker, "workflows"), takes_workflows),
        Part("activities", (sys.executable, worker, "activities"), takes_activities),
        Part("api", tuple(api), answers),
    ]


MALLOC = {"MALLOC_MMAP_THRESHOLD_": "4194304"}
"""glibc gives blocks of this size back: by itself it keeps the 19 MB of each password's check."""


def environment(state: StateFolder, ports: Ports) -> dict[str, str]:
    """Return the environment that the parts share: the user's own with the stack's addresses."""
    return (
        MALLOC
        | os.environ
        | {
            "PYTHONUNBUFFERED": "1",
            "RACINE_DATABASE_URL": state.database_url,
            "RACINE_DATA_DIR": str(state.root),
            "RACINE_TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
            "RACINE_TEMPORAL_NAMESPACE": _NAMESPACE,
        }
    )
