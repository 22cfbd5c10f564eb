"""When a job says that its run takes too long: rules over durations, and a time of day."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, StringConstraints

from racine.definitions.parts import Part
from racine.errors import Fault

if TYPE_CHECKING:
    from racine.definitions.document import JobDocument, Task


class OnBreach(StrEnum):
    """What happens when a rule is broken; all of them notify, once."""

    NOTIFY = "notify"
    CANCEL = "cancel"
    FAIL = "fail"


class HealthMetric(StrEnum):
    """What a rule measures, in seconds."""

    RUN_DURATION_SECONDS = "RUN_DURATION_SECONDS"
    TASK_DURATION_SECONDS = "TASK_DURATION_SECONDS"
    """Of a task from its start, its retries and its wait for a worker among it; of a task inside
    loops, which `task_key` names by its path, of one attempt in one iteration."""
    RUN_QUEUE_SECONDS = "RUN_QUEUE_SECONDS"
    """How long a run has waited for its turn, where its job limits how many go on at once."""
    TASK_QUEUE_SECONDS = "TASK_QUEUE_SECONDS"
    """How long a task has waited for a worker, in a loop or not."""


OF_RUNS = (HealthMetric.RUN_DURATION_SECONDS, HealthMetric.RUN_QUEUE_SECONDS)

TaskPath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}(\.[A-Za-z_][A-Za-z0-9_]{0,99})*$")
]


class HealthRule(Part):
    metric: HealthMetric
    op: Literal["GREATER_THAN"] = "GREATER_THAN"
    value: float = Field(gt=0, le=366 * 86_400)
    task_key: TaskPath | None = None
    """A task, or one inside loops by the loops around it: `per_table.clean`. Left out, each of the
    job's own tasks; of TASK_QUEUE_SECONDS, each task."""
    on_breach: OnBreach | None = None
    """The job's when left out."""

    @property
    def outside(self) -> bool:
        """Whether it is about what a run cannot see itself, and the platform watches beside it."""
        queued = (HealthMetric.RUN_QUEUE_SECONDS, HealthMetric.TASK_QUEUE_SECONDS)
        return self.metric in queued or "." in (self.task_key or "")


class Health(Part):
    """Rules that a run is watched by; one without any costs nothing."""

    rules: list[HealthRule] = Field(default_factory=list, max_length=100)
    deadline: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    """Time of day, `07:00`, by which a run has ended: the next one after its start."""
    timezone_id: str = "UTC"
    on_breach: OnBreach = OnBreach.NOTIFY


def next_deadline(began: datetime, deadline: str, timezone_id: str) -> datetime:
    """Return the first moment after a start at which it is that time of day in the zone."""
    local = began.astimezone(ZoneInfo(timezone_id))
    at = datetime.combine(local.date(), time.fromisoformat(deadline), local.tzinfo)
    if at <= local:
        at = datetime.combine(local.date() + timedelta(days=1), at.timetz())
    return at


def health_faults(document: "JobDocument") -> Iterator[Fault]:
    """Yield what is wrong with a job's rules."""
    health = document.health
    if health is None:
        return
    if health.timezone_id not in available_timezones():
        yield Fault("/health/timezone_id", f"There is no time zone {health.timezone_id!r}.",
                    "Name one of the tz database, such as Europe/Berlin.", "timezone")  # fmt: skip
    known = set(_paths(document.tasks))
    for number, rule in enumerate(health.rules):
        yield from _rule_faults(rule, known, health.on_breach, f"/health/rules/{number}")


def _rule_faults(
    rule: HealthRule, known: set[str], on_breach: OnBreach, pointer: str
) -> Iterator[Fault]:
    if rule.metric in OF_RUNS and rule.task_key is not None:
        yield Fault(f"{pointer}/task_key", "The duration of a run is of no single task.",
                    "Leave task_key out.", "health")  # fmt: skip
    elif rule.task_key is not None and rule.task_key not in known:
        yield Fault(f"{pointer}/task_key", f"The job has no task {rule.task_key!r}.",
                    "Name a task, or one inside loops as per_table.clean.",
                    "unknown_task")  # fmt: skip
    fails = (rule.on_breach or on_breach) is OnBreach.FAIL
    if rule.outside and fails and rule.metric is not HealthMetric.RUN_QUEUE_SECONDS:
        yield Fault(f"{pointer}/on_breach", "Such a rule is watched beside the run, and cannot"
                    " fail it.", "Say on_breach: notify or cancel for it.", "health")  # fmt: skip


def _paths(tasks: "Sequence[Task]", prefix: str = "") -> Iterator[str]:
    for task in tasks:
        yield prefix + task.task_key
        for work in task.works:
            yield from _paths(work.inner(), f"{prefix}{task.task_key}.")
