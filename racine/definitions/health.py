"""When a job says that its run takes too long: rules over durations, and a time of day."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, StringConstraints

from racine.definitions.parts import Part, TaskKey
from racine.errors import Fault

if TYPE_CHECKING:
    from racine.definitions.document import JobDocument


class OnBreach(StrEnum):
    """What happens when a rule is broken; all of them notify, once."""

    NOTIFY = "notify"
    CANCEL = "cancel"
    FAIL = "fail"


class HealthMetric(StrEnum):
    """What a rule measures, in seconds."""

    RUN_DURATION_SECONDS = "RUN_DURATION_SECONDS"
    TASK_DURATION_SECONDS = "TASK_DURATION_SECONDS"
    """Of a task from its start, its retries and its wait for a worker among it."""


class HealthRule(Part):
    metric: HealthMetric
    op: Literal["GREATER_THAN"] = "GREATER_THAN"
    value: float = Field(gt=0, le=366 * 86_400)
    task_key: TaskKey | None = None
    """Of the job's own tasks, outside of loops; each of them when left out."""
    on_breach: OnBreach | None = None
    """The job's when left out."""


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
    known = {task.task_key for task in document.tasks}
    for number, rule in enumerate(health.rules):
        place = f"/health/rules/{number}/task_key"
        if rule.task_key is None:
            continue
        if rule.metric is HealthMetric.RUN_DURATION_SECONDS:
            yield Fault(place, "The duration of a run is of no single task.",
                        "Leave task_key out.", "health")  # fmt: skip
        elif rule.task_key not in known:
            yield Fault(place, f"The job has no task {rule.task_key!r} of its own.",
                        "Name a task outside of loops.", "unknown_task")  # fmt: skip
