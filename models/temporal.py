"""The one way to reach Temporal: address, namespace, data converter and search attributes."""

from datetime import timedelta

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RetryConfig

WORKSPACE = "RacineWorkspace"
KIND = "RacineKind"
JOB = "RacineJob"
TRIGGER = "RacineTrigger"
STATE = "RacineState"
ACTOR = "RacineActor"
SEARCH_ATTRIBUTES = (WORKSPACE, KIND, JOB, TRIGGER, STATE, ACTOR)
"""Keywords by which Temporal Web finds runs; SQL stores have room for ten."""

REPAIR = "RacineRepair"
"""Memo of a run's workflow: which execution of the run it is."""

WORKER_HEARTBEAT = timedelta(seconds=5)
"""How often a worker tells the server that it lives; health counts on it (`services/health.py`)."""


async def connect(
    address: str,
    namespace: str = "default",
    *,
    runtime: Runtime | None = None,
    retry: RetryConfig | None = None,
) -> Client:
    """Connect to a Temporal server; raises RuntimeError when it does not answer."""
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        runtime=runtime,
        retry_config=retry,
    )


def worker_runtime() -> Runtime:
    """Return the runtime of a worker process, which reports its state to the server."""
    return Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=WORKER_HEARTBEAT)
