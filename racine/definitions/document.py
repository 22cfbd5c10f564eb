"""Job document, version 1: the one definition that Python, the UI and hand-written JSON share.

Field names follow Databricks Jobs where one exists, Temporal for retries and timeouts.
"""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from racine.definitions.health import Health as Health
from racine.definitions.health import HealthMetric as HealthMetric
from racine.definitions.health import HealthRule as HealthRule
from racine.definitions.health import OnBreach as OnBreach
from racine.definitions.kinds.decisions import ConditionTask as ConditionTask
from racine.definitions.kinds.decisions import NoopTask as NoopTask
from racine.definitions.kinds.decisions import SwitchTask as SwitchTask
from racine.definitions.kinds.http import HttpTask as HttpTask
from racine.definitions.kinds.jobs import RunJobTask as RunJobTask
from racine.definitions.kinds.loop_inputs import FileItems as FileItems
from racine.definitions.kinds.loop_inputs import SqlItems as SqlItems
from racine.definitions.kinds.loops import ForEachTask as ForEachTask
from racine.definitions.kinds.loops import WhileTask as WhileTask
from racine.definitions.kinds.notify import NotifyTask as NotifyTask
from racine.definitions.kinds.quality import Check as Check
from racine.definitions.kinds.quality import Comparison as Comparison
from racine.definitions.kinds.quality import Metric as Metric
from racine.definitions.kinds.quality import QualityTask as QualityTask
from racine.definitions.kinds.sql import SqlTask as SqlTask
from racine.definitions.kinds.waits import ApprovalTask as ApprovalTask
from racine.definitions.kinds.waits import OnTimeout as OnTimeout
from racine.definitions.kinds.waits import WaitTask as WaitTask
from racine.definitions.kinds.work import OperationTask as OperationTask
from racine.definitions.kinds.work import PythonTask as PythonTask
from racine.definitions.parts import JobName as JobName
from racine.definitions.parts import Part as Part
from racine.definitions.parts import QueueName as QueueName
from racine.definitions.parts import TaskKey as TaskKey
from racine.definitions.parts import TaskKind as TaskKind
from racine.definitions.pools import PoolName
from racine.definitions.retry_rules import RetryRule as RetryRule
from racine.definitions.retry_rules import RuleAction as RuleAction

ResourceName = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class RunIf(StrEnum):
    """What must be true of a task's upstream before it may start (Databricks' six)."""

    ALL_SUCCESS = "ALL_SUCCESS"
    AT_LEAST_ONE_SUCCESS = "AT_LEAST_ONE_SUCCESS"
    NONE_FAILED = "NONE_FAILED"
    ALL_DONE = "ALL_DONE"
    AT_LEAST_ONE_FAILED = "AT_LEAST_ONE_FAILED"
    ALL_FAILED = "ALL_FAILED"


class Join(StrEnum):
    """How many of a task's upstream must have ended so that its `run_if` holds for them."""

    ALL = "all"
    ANY = "any"
    N_OF = "n_of"
    """As many as `join_count` says."""


class FailurePolicy(StrEnum):
    """What a run does when a task has failed."""

    FAIL_FAST = "FAIL_FAST"
    """Cancel what runs, skip the rest, and end as failed."""

    CONTINUE = "CONTINUE"
    """Let independent tasks run, and end as failed."""
    HOLD = "HOLD"
    """Let them run, then stay open until a person has retried, skipped or settled the failed."""


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
    schedule_to_close_timeout_seconds: float | None = Field(default=None, gt=0)
    heartbeat_timeout_seconds: float | None = Field(default=None, gt=0)
    queue_timeout_seconds: float | None = Field(default=None, gt=0)
    task_queue: QueueName | None = None


class Dependency(Part):
    task_key: TaskKey
    outcome: str | None = None
    """Of a condition: `true` or `false`; the branch not taken excludes the dependent task."""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _one_of_the_kinds(schema: dict[str, Any]) -> None:
    schema["oneOf"] = [{"required": [kind]} for kind in TASK_KINDS]


class Task(Part):
    task_key: TaskKey
    description: str = ""
    depends_on: list[Dependency] = Field(default_factory=list)
    run_if: RunIf = RunIf.ALL_SUCCESS
    join: Join = Join.ALL
    join_count: int | None = Field(default=None, ge=1)
    """With `n_of`: how many upstream must have ended so that `run_if` holds for them."""
    condition: str | None = None
    """CEL, asked when the task may start; where it is false, the task is excluded."""
    operation_task: OperationTask | None = None
    python_task: PythonTask | None = None
    condition_task: ConditionTask | None = None
    switch_task: SwitchTask | None = None
    for_each_task: ForEachTask | None = None
    while_task: WhileTask | None = None
    wait_task: WaitTask | None = None
    approval_task: ApprovalTask | None = None
    run_job_task: RunJobTask | None = None
    sql_task: SqlTask | None = None
    http_task: HttpTask | None = None
    quality_task: QualityTask | None = None
    notify_task: NotifyTask | None = None
    noop_task: NoopTask | None = None
    outputs: dict[str, Any] | None = None
    """JSON Schema of what the task returns; checked when it does."""
    retry_policy: RetryPolicy | None = None
    retry_rules: list[RetryRule] = Field(default_factory=list, max_length=20)
    """Asked in order after each failed attempt; the first that holds decides."""
    start_to_close_timeout_seconds: float | None = Field(default=None, gt=0)
    schedule_to_close_timeout_seconds: float | None = Field(default=None, gt=0)
    """From its first start to its end, all attempts and the waits between them taken together."""
    heartbeat_timeout_seconds: float | None = Field(default=None, gt=0)
    """An attempt that says nothing for so long is taken for lost."""
    queue_timeout_seconds: float | None = Field(default=None, gt=0)
    """How long an attempt may wait for a worker; then the task fails."""
    task_queue: QueueName | None = None
    """Name of the workers that carry it out: `worker.py activities NAME`; any, when left out."""
    priority: int | None = Field(default=None, ge=1, le=5)
    """Which waiting task a worker takes first: 1 before 5; the job's when left out."""
    pool: PoolName | None = None
    """What it shares with other tasks of the workspace: it starts once it holds its slots."""
    pool_slots: int = Field(default=1, ge=1, le=10_000)
    inlets: list[ResourceName] = Field(default_factory=list, max_length=100)
    """What it reads, by name: `crm.orders`."""
    outlets: list[ResourceName] = Field(default_factory=list, max_length=100)
    """What it writes; a job with a task that reads it comes after this one."""
    disabled: bool = False
    compensate_with: Annotated[list["Task"], BeforeValidator(_as_list)] = Field(
        default_factory=list
    )
    """A task or several that undo this one, when it succeeded and the run fails or is cancelled."""

    model_config = ConfigDict(json_schema_extra=_one_of_the_kinds)

    @cached_property
    def by_kind(self) -> dict[str, TaskKind]:
        """What each kind that is set says; a sound task has exactly one."""
        held = vars(self)
        return {kind: held[kind] for kind in TASK_KINDS if held[kind] is not None}

    @property
    def kinds(self) -> list[str]:
        """The kinds that are set."""
        return [*self.by_kind]

    @property
    def works(self) -> list[TaskKind]:
        """What its kinds say, in the order of `kinds`."""
        return [*self.by_kind.values()]


TASK_KINDS = tuple(
    name
    for name, field in Task.model_fields.items()
    if any(isinstance(a, type) and issubclass(a, TaskKind) for a in get_args(field.annotation))
)
"""The fields of which a task has exactly one: every field whose type is a kind."""

ForEachTask.model_rebuild(_types_namespace={"Task": Task})
WhileTask.model_rebuild(_types_namespace={"Task": Task})
Task.model_rebuild()


class Parameter(Part):
    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
    description: str = ""
    default: Any = None
    required: bool = False
    json_schema: dict[str, Any] = Field(default_factory=dict, alias="schema")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Queue(Part):
    """Whether a run that is one too many waits for its turn, and how long at most."""

    enabled: bool = True
    """Without it, such a run is refused."""
    timeout_seconds: float = Field(default=172_800, gt=0, le=366 * 86_400)


class JobDocument(Part):
    """A whole job; `ui` is kept but takes no part in its meaning or its hash."""

    spec_version: Literal["1"] = "1"
    name: JobName
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)
    parameters: list[Parameter] = Field(default_factory=list)
    max_concurrent_runs: int | None = Field(default=None, ge=1, le=10_000)
    """Runs that may go on at once; the next one waits its turn."""
    concurrency_key: str | None = Field(default=None, max_length=1000)
    """A template over `params`: runs whose texts agree have a limit of their own."""
    max_concurrent_runs_per_key: int = Field(default=1, ge=1, le=10_000)
    queue: Queue = Queue()
    priority: int = Field(default=3, ge=1, le=5)
    """Whose turn comes first where runs or tasks wait; 1 before 5, then by age."""
    timeout_seconds: float | None = Field(default=None, gt=0)
    health: Health | None = None
    failure_policy: FailurePolicy = FailurePolicy.CONTINUE
    defaults: Defaults = Defaults()
    tasks: list[Task] = Field(min_length=1)
    on_failure: list[Task] = Field(default_factory=list)
    """Run after the tasks when the run has failed."""
    finally_: list[Task] = Field(default_factory=list, alias="finally")
    """Run last, however the run ended."""
    outputs: dict[str, Any] = Field(default_factory=dict)
    bundle: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """Digest of the code that its Python tasks run; `racine deploy` sets it."""
    ui: dict[str, Any] = Field(default_factory=dict)

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
