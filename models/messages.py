"""What travels between services, workflows and activities; additive: new fields have defaults."""

import base64
import json
import zlib
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from racine.engine.kept import Kept, Stretch, Trace, Trail
from racine.engine.plan import Plan
from racine.engine.states import TaskResult

INLINE_LIMIT = 64 * 1024
"""Bytes of JSON above which a value travels by reference (design: nothing larger in history)."""


ELSEWHERE = "elsewhere"
"""Type of the refusal of an order that another workflow of the run has to obey: its details name
it."""

NOT_NOW = "not_now"
"""Type of the refusal of an order that the run takes in a moment, when it has continued as new."""


class Message(BaseModel):
    model_config = ConfigDict(frozen=True)


def _pack(value: BaseModel) -> Any:
    text = value.model_dump_json(exclude_defaults=isinstance(value, Kept))
    if len(text) <= INLINE_LIMIT:
        return json.loads(text)
    return base64.b64encode(zlib.compress(text.encode(), 6)).decode()


def _unpack(value: Any) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(value))) if isinstance(value, str) else value


PackedPlan = Annotated[Plan, PlainSerializer(_pack), BeforeValidator(_unpack)]
"""A plan; over the inline limit it is written compressed, 1,000 tasks in about 10 KB."""

PackedKept = Annotated[Kept, PlainSerializer(_pack), BeforeValidator(_unpack)]
"""What a run leaves behind, compressed in the same way."""


class RunContext(Message):
    """Whose run it is; goes with every call an interpreter makes."""

    run_id: str
    workspace_id: str
    actor: str
    limits_sources: bool = False
    """Whether any source of the workspace limits what may be done with it at a time."""
    repair: int = 0
    """Which execution of the run this is: one more with every repair."""
    weight: float = 1
    """Of the workspace's share where workspaces wait for the same workers."""


class Transition(Message):
    """A step that ended without an activity of its own."""

    task_key: str
    n: int
    kind: str
    attempt: int = 0
    body: dict[str, Any] = Field(default_factory=dict)


class Left(Message):
    """What one place of a run has done so far: a level its results, a task what it holds."""

    results: dict[str, TaskResult] = Field(default_factory=dict)
    state: dict[str, Any] = Field(default_factory=dict)


class Carried(Message):
    """What a run takes along when it continues as new."""

    started_at: datetime
    results: dict[str, TaskResult] = Field(default_factory=dict)
    """By task key; values only of tasks that something still reads."""
    paused: bool = False
    transitions: list[Transition] = Field(default_factory=list)
    tries: dict[str, int] = Field(default_factory=dict)
    """How often tasks were begun that were begun more than once."""
    left: dict[str, Left] = Field(default_factory=dict)
    """What is half done inside the run, by place."""
    ends_as: str | None = None
    """Why the run ends before its plan does."""
    rounds: dict[str, int] = Field(default_factory=dict)
    """How often tasks were decided anew, where they were."""
    orders: int = 0
    answers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """To orders, by their ids."""
    held: dict[str, str] = Field(default_factory=dict)
    """Tasks that may not begin, by path, and why."""
    parts: int = 0
    """How many parts of its results are kept already."""
    began_at: datetime | None = None
    """When this execution began, where the run itself did so before."""
    breaches: list[str] = Field(default_factory=list)
    """Rules of its health that are known to be broken."""
    trails: dict[str, Trail] = Field(default_factory=dict)
    """What can be undone of loops, by path."""
    undone: bool = False
    """Whether any task of an iteration was undone."""


class JobInput(Message):
    context: RunContext
    parameters: dict[str, Any]
    plan: PackedPlan
    logical_time: str | None = None
    """The moment that the run stands for, a schedule's tick; without it, when it started."""
    carried: Carried | None = None
    carried_in: list[str] = Field(default_factory=list)
    """Blobs that hold what is carried, piece by piece, where that is much."""
    cancelled: bool = False
    """Whether the run was told to end while that was written."""
    keeps: bool = False
    """Whether the run's results are kept for repairs; runs of before did not."""
    kept: PackedKept | None = None
    """What earlier executions left, less what a repair runs again."""


class Burden(Message):
    """What a run takes along that is too much to travel in its input."""

    carried: Carried | None = None
    stretch: "CarriedLoop | None" = None
    """The same of a loop's workflow."""
    kept: PackedKept | None = None


class ControlCall(Message):
    """An order to a run: what every Update of the interpreter is given; it answers with a dict."""

    actor: str
    reason: str = ""
    task_key: str | None = None
    """The task that the order is about; none for the whole run."""
    arguments: dict[str, Any] = Field(default_factory=dict)


class RepairOrder(Message):
    """What shall run again in a run that goes on."""

    tasks: list[str] = Field(default_factory=list)
    """Paths; none are all that failed."""
    dependents: bool = True
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Those that change."""
    plan: PackedPlan | None = None
    """Of another version of the job."""


class TaskCall(Message):
    """One task for an activity: its input may hold templates, resolved over `names` there."""

    context: RunContext
    task_key: str
    try_number: int = 1
    input: dict[str, Any]
    names: dict[str, Any] | None = None
    """What the templates refer to; None when there are none."""
    outputs: dict[str, Any] | None = None
    """JSON Schema that the result must fit."""
    transitions: list[Transition] = Field(default_factory=list)
    """What the interpreter decided since its last call, to be written with this one."""


class PythonCall(TaskCall):
    callable: str
    bundle: str | None = None
    """Digest of the bundle whose modules go before all others."""


class AcquireCall(Message):
    """A try of a task that needs slots before it may start."""

    context: RunContext
    task_key: str
    try_number: int
    pool: str | None = None
    """None: the pool of the source that the input names, if it has one."""
    slots: int = 1
    priority: int = 3
    input: dict[str, Any] = Field(default_factory=dict)
    names: dict[str, Any] | None = None


class Lease(Message):
    """Slots of a pool; without a moment to start at they are still waited for."""

    lease_id: str
    starts_at: datetime | None = None


class Acquired(Message):
    lease: Lease | None = None
    """None where no pool limits the task."""


class ReleaseCall(Message):
    """Give back what a try of a task holds or waits for."""

    context: RunContext
    task_key: str
    try_number: int


class TaskOutput(Message):
    values: dict[str, Any]
    ref: str | None = None
    """Blob of the whole output where `values` holds only its small fields."""


class Scope(Message):
    """Where in a run a plan is carried out, and what its expressions may refer to beside it."""

    context: RunContext
    parameters: dict[str, Any]
    run: dict[str, Any]
    prefix: str = ""
    """Stands before every task key: `per_table[3].` in an iteration."""
    outer_tasks: dict[str, Any] = Field(default_factory=dict)
    """Tasks of the levels around, by key."""
    loop: dict[str, Any] = Field(default_factory=dict)
    """`item`, `item_index` and `outer` in an iteration."""


class ExpandCall(Message):
    """The list that a loop walks over, as its document gives it."""

    context: RunContext
    inputs: Any
    names: dict[str, Any] | None = None
    batch_size: int | None = None


class Results(Message):
    """What iterations gave, by their numbers: inline while it is little, else in a blob."""

    items: list[tuple[int, Any]] = Field(default_factory=list)
    ref: str | None = None


class Expanded(Message):
    """A loop's items: inline while they are few and small, else in a blob."""

    count: int
    items: list[Any] | None = None
    ref: str | None = None
    by_reference: bool = False
    """The items are pages behind `ref`, and only activities read them."""
    gave: Results | None = None
    """What the good iterations of a repaired loop gave before."""


class SliceCall(Message):
    context: RunContext
    ref: str
    start: int
    count: int


class LoopInput(Message):
    """A stretch of a loop's iterations for a workflow of its own."""

    scope: Scope
    key: str
    body: PackedPlan
    items: list[Any] | None = None
    ref: str | None = None
    by_reference: bool = False
    """No workflow reads the items: each is passed on as a reference to its place behind `ref`."""
    start: int
    count: int
    concurrency: int
    allowed: int
    """Failures that end nothing; one more, and no further iteration begins."""
    paused: bool = False
    keeps: bool = False
    """Whether the run's results are kept for repairs."""
    kept: PackedKept | None = None
    """What is known of the stretch from before: of a repaired run."""
    item: str | None = None
    """Another name of the item."""
    collect: str | None = None
    """Template of what each iteration gives."""
    carried: "CarriedLoop | None" = None
    carried_in: list[str] = Field(default_factory=list)
    """Blobs that hold what is carried, piece by piece, where that is much."""
    cancelled: bool = False
    """Whether the stretch was told to end while that was written."""


class CarriedLoop(Message):
    """What a stretch of iterations takes along when it continues as new."""

    transitions: list[Transition] = Field(default_factory=list)
    tries: dict[str, int] = Field(default_factory=dict)
    held: dict[str, str] = Field(default_factory=dict)
    orders: int = 0
    answers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """To orders, by their ids."""
    left: dict[str, Left] = Field(default_factory=dict)
    trails: dict[str, Trail] = Field(default_factory=dict)


class CollectCall(Message):
    """Parts of what a loop gave, to be kept in one blob."""

    context: RunContext
    parts: list[Results]
    total: int | None = None
    """Of a whole loop, whose results then stand in order of its items, null where there is none."""


class Tally(Message):
    """How iterations ended."""

    succeeded: int = 0
    failed: int = 0
    failed_items: list[int] = Field(default_factory=list)
    """The first hundred of them, in order."""
    error: dict[str, Any] | None = None
    done: list[Stretch] = Field(default_factory=list)
    """All that succeeded, of runs that keep their results."""
    tries: int = 0
    """The highest try of any task in them."""
    kept: PackedKept | None = None
    """What is known of those that failed, where it is little enough."""
    results: list[Results] = Field(default_factory=list)
    undo: list[Trace] = Field(default_factory=list)
    """What can be undone of them."""


class RecordCall(Message):
    """What is to be kept of a run that goes on: transitions for its log, results for repairs."""

    context: RunContext
    transitions: list[Transition] = Field(default_factory=list)
    began: str | None = None
    """Id of a run that Temporal has taken."""
    kept: PackedKept | None = None
    part: str = ""


class KeptAnswer(Message):
    kept: PackedKept


class BreachCall(Message):
    """A rule of a job's health that its run has broken."""

    context: RunContext
    rule: str
    """Place of the rule in the document, or `deadline`."""
    task_key: str = ""
    metric: str
    value: float | None = None
    on_breach: str
    message: str


class FinishCall(Message):
    context: RunContext
    state: str
    outputs: dict[str, Any] = Field(default_factory=dict)
    """Templates over `names`."""
    names: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None
    transitions: list[Transition] = Field(default_factory=list)
    kept: PackedKept | None = None
    cancels: bool = False
    """Whether a cancelled run is still to be told so by Temporal, which then shows it as that."""


class RunResult(Message):
    state: str
    outputs: dict[str, Any] = Field(default_factory=dict)
    error: dict[str, Any] | None = None


class ScheduledStart(Message):
    """What a schedule gives to the workflow that it starts."""

    schedule_id: str
    workspace_id: str


class ScheduledFiring(Message):
    """One firing of a schedule: by which workflow and execution, and for which moment."""

    schedule_id: str
    fired_by: str
    scheduled_for: datetime


class ScheduledLaunch(Message):
    """The recorded run of a firing, ready to start."""

    workflow_id: str
    summary: str
    input: JobInput
    queued: bool = False
    """Its job has as many runs as it may have: a signal tells when its turn has come."""


class ChildRunCall(Message):
    """A run that a task starts."""

    context: RunContext
    task_key: str
    try_number: int
    job: str
    version: int | str
    """A number, `latest` or `pinned`."""
    job_parameters: dict[str, Any]
    names: dict[str, Any] | None = None
    wait: bool = True
    transitions: list[Transition] = Field(default_factory=list)


class ChildRunLaunch(Message):
    """The recorded run of a task."""

    run_id: str
    workflow_id: str
    job: str
    queued: bool
    input: JobInput


class RunLook(Message):
    run_id: str
