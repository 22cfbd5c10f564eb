"""What a job, a task and a loop may say beside what they do; the names are those of the document.

A test compares each with the model that it stands for.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from racine.definitions.document import (
    Defaults,
    FailurePolicy,
    Health,
    Join,
    OnTimeout,
    Parameter,
    Queue,
    RetryPolicy,
    RetryRule,
    RunIf,
)

if TYPE_CHECKING:
    from racine.sdk.job import JobBuilder


class JobOptions(TypedDict, total=False):
    """What a job says of itself, beside its name and its tasks."""

    description: str
    tags: Mapping[str, str]
    parameters: Sequence[Parameter]
    max_concurrent_runs: int
    concurrency_key: str
    max_concurrent_runs_per_key: int
    queue: Queue
    priority: int
    timeout_seconds: float
    health: Health
    failure_policy: FailurePolicy
    defaults: Defaults
    bundle: str
    ui: Mapping[str, Any]


class TaskOptions(TypedDict, total=False):
    """What any task may say, whatever it does."""

    description: str
    run_if: RunIf
    join: Join
    join_count: int
    condition: bool | str
    compensate_with: "Callable[[JobBuilder], None]"
    """Writes the tasks that undo this one when it succeeded and the run fails or is cancelled."""
    outputs: dict[str, Any]
    retry_policy: RetryPolicy
    retry_rules: Sequence[RetryRule]
    start_to_close_timeout_seconds: float
    schedule_to_close_timeout_seconds: float
    heartbeat_timeout_seconds: float
    queue_timeout_seconds: float
    task_queue: str
    priority: int
    pool: str
    pool_slots: int
    inlets: Sequence[str]
    outlets: Sequence[str]
    disabled: bool


class LoopOptions(TypedDict, total=False):
    """How a loop goes about its items."""

    concurrency: int
    batch_size: int
    max_failed_percent: float
    item: str
    collect: str


class WhileOptions(TypedDict, total=False):
    """How often a loop may go on, how long it rests, and what it gives."""

    max_iterations: int
    delay_seconds: float
    on_exhausted: Literal["FAIL", "CONTINUE"]
    collect: str


class RunJobOptions(TypedDict, total=False):
    """Which version of another job runs, and whether to wait for it."""

    version: int | Literal["latest", "pinned"]
    wait: bool


class ApprovalOptions(TypedDict, total=False):
    """Who may approve, how many must, and what happens when nobody does."""

    approvers: Sequence[str]
    required: int
    self_approval: bool
    form: Mapping[str, Any]
    timeout_seconds: float
    on_timeout: OnTimeout
    on_reject: Literal["FAIL", "CONTINUE"]


class SignalTimes(TypedDict, total=False):
    """How long a signal is waited for, and what follows when it does not come."""

    timeout_seconds: float
    on_timeout: Literal["FAIL", "CONTINUE"]


class SignalOptions(SignalTimes, total=False):
    """What a signal must bring, and how long it is waited for."""

    payload_schema: Mapping[str, Any]


class SqlOptions(TypedDict, total=False):
    """What statements read and may do, and how much."""

    parameters: Mapping[str, Any]
    write: bool
    max_rows: int
    timeout_seconds: float


class HttpOptions(TypedDict, total=False):
    """How a request is sent, and what is taken from its answer."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    headers: Mapping[str, str]
    query: Mapping[str, Any]
    body: Any
    timeout_seconds: float
    expected_status: Sequence[int]
    values_from: Mapping[str, str]
    max_bytes: int


class QualityOptions(TypedDict, total=False):
    """What a gate looks at, and what follows when it does not pass."""

    source: str
    scan_id: str
    on_fail: Literal["FAIL", "CONTINUE"]


class NotifyOptions(TypedDict, total=False):
    """What is told beside the subject."""

    body: str
    severity: Literal["info", "warning", "error"]
