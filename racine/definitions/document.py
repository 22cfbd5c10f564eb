"""Job document, version 1: the one definition that Python, the UI and hand-written JSON share.

Field names follow Databricks Jobs where one exists, Temporal for retries and timeouts.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

TaskKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
JobName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]

TASK_KINDS = (
    "operation_task",
    "python_task",
    "condition_task",
    "switch_task",
    "for_each_task",
    "wait_task",
    "approval_task",
    "noop_task",
)
"""The fields of which a task has exactly one."""


class Part(BaseModel):
    """Base of the document's parts: frozen, and a field nobody knows is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RunIf(StrEnum):
    """What must be true of a task's upstream before it may start (Databricks' six)."""

    ALL_SUCCESS = "ALL_SUCCESS"
    AT_LEAST_ONE_SUCCESS = "AT_LEAST_ONE_SUCCESS"
    NONE_FAILED = "NONE_FAILED"
    ALL_DONE = "ALL_DONE"
    AT_LEAST_ONE_FAILED = "AT_LEAST_ONE_FAILED"
    ALL_FAILED = "ALL_FAILED"


class FailurePolicy(StrEnum):
    """What a run does when tasks have failed and nothing else is left to do."""

    CONTINUE = "CONTINUE"
    """End as failed; independent tasks have run."""
    HOLD = "HOLD"
    """Stay open until a person has retried or skipped them or given their results."""


class RetryPolicy(Part):
    """Temporal's retry policy; intervals in seconds."""

    maximum_attempts: int = Field(default=3, ge=1, le=1000)
    initial_interval_seconds: float = Field(default=1, gt=0, le=86_400)
    backoff_coefficient: float = Field(default=2, ge=1, le=100)
    maximum_interval_seconds: float = Field(default=300, gt=0, le=86_400)
    non_retryable_error_types: list[str] = Field(default_factory=list)


class Defaults(Part):
    """What a task gets when it says nothing itself."""

    retry_policy: RetryPolicy = RetryPolicy()
    start_to_close_timeout_seconds: float = Field(default=600, gt=0)
    heartbeat_timeout_seconds: float | None = Field(default=None, gt=0)


class Dependency(Part):
    task_key: TaskKey
    outcome: str | None = None
    """Of a condition: `true` or `false`; the branch not taken excludes the dependent task."""


class OperationTask(Part):
    operation: str
    input: dict[str, Any] = Field(default_factory=dict)


class PythonTask(Part):
    callable: Annotated[str, StringConstraints(pattern=r"^[\w.]+:[\w.]+$")]
    parameters: dict[str, Any] = Field(default_factory=dict)


class ConditionTask(Part):
    expression: str


class SwitchTask(Part):
    """Ends with the outcome that `on` gives, as text; what is no case takes the default."""

    on: str
    cases: list[str] = Field(min_length=1, max_length=100)
    default: str | None = None


class ForEachTask(Part):
    """Runs its tasks once for each item; in there, `item` and `item_index` say which."""

    inputs: str | list[Any]
    """A list, or a template that gives one."""
    concurrency: int = Field(default=10, ge=1, le=100)
    batch_size: int | None = Field(default=None, ge=1, le=10_000)
    """With it, `item` is a list of so many items."""
    max_failed_percent: float = Field(default=0, ge=0, le=100)
    tasks: list["Task"] = Field(min_length=1)


class WaitTask(Part):
    """Waits for a time: so many seconds, or until a moment that a template may give."""

    duration_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    until: str | None = None
    """ISO 8601 with its offset, or a template of it; a moment gone by waits for nothing."""


class OnTimeout(StrEnum):
    FAIL = "FAIL"
    APPROVE = "APPROVE"
    REJECT = "REJECT"


class ApprovalTask(Part):
    """Waits until enough people approve or one rejects; its outcome is which of both."""

    prompt: str = ""
    approvers: list[str] = Field(default_factory=list)
    """User ids and `role:NAME`; empty: whoever may approve in the workspace."""
    required: int = Field(default=1, ge=1, le=100)
    self_approval: bool = False
    """Whether who started the run may take part."""
    timeout_seconds: float | None = Field(default=None, gt=0, le=366 * 86_400)
    on_timeout: OnTimeout = OnTimeout.FAIL
    on_reject: Literal["FAIL", "CONTINUE"] = "FAIL"


class NoopTask(Part):
    pass


class Task(Part):
    task_key: TaskKey
    description: str = ""
    depends_on: list[Dependency] = Field(default_factory=list)
    run_if: RunIf = RunIf.ALL_SUCCESS
    operation_task: OperationTask | None = None
    python_task: PythonTask | None = None
    condition_task: ConditionTask | None = None
    switch_task: SwitchTask | None = None
    for_each_task: ForEachTask | None = None
    wait_task: WaitTask | None = None
    approval_task: ApprovalTask | None = None
    noop_task: NoopTask | None = None
    outputs: dict[str, Any] | None = None
    """JSON Schema of what the task returns; checked when it does."""
    retry_policy: RetryPolicy | None = None
    start_to_close_timeout_seconds: float | None = Field(default=None, gt=0)
    schedule_to_close_timeout_seconds: float | None = Field(default=None, gt=0)
    heartbeat_timeout_seconds: float | None = Field(default=None, gt=0)
    disabled: bool = False

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [kind]} for kind in TASK_KINDS]}
    )


class Parameter(Part):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
    description: str = ""
    default: Any = None
    required: bool = False
    json_schema: dict[str, Any] = Field(default_factory=dict, alias="schema")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class JobDocument(Part):
    """A whole job; `ui` is kept but takes no part in its meaning or its hash."""

    spec_version: Literal["1"] = "1"
    name: JobName
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    parameters: list[Parameter] = Field(default_factory=list)
    timeout_seconds: float | None = Field(default=None, gt=0)
    failure_policy: FailurePolicy = FailurePolicy.CONTINUE
    defaults: Defaults = Defaults()
    tasks: list[Task] = Field(min_length=1)
    on_failure: list[Task] = Field(default_factory=list)
    """Run after the tasks when the run has failed."""
    finally_: list[Task] = Field(default_factory=list, alias="finally")
    """Run last, however the run ended."""
    outputs: dict[str, Any] = Field(default_factory=dict)
    ui: dict[str, Any] = Field(default_factory=dict)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
