"""Keeps a scanned source watched: the job that scanned it runs again by itself."""

from typing import Any

from pydantic import Field

from racine.definitions.schedules import Cron, Overlap, ScheduleName, Zone
from racine.group import Operation, Payload


class ScheduleMonitoringInput(Payload):
    name: ScheduleName
    """The schedule's name in the workspace: the same name again changes that schedule."""
    cron: Cron
    time_zone: Zone = "UTC"
    overlap: Overlap = Overlap.SKIP
    catchup_window_seconds: int = Field(default=3600, ge=10, le=31_536_000)
    jitter_seconds: int = Field(default=0, ge=0, le=86_400)
    parameters: dict[str, Any] | None = None
    """What its runs are given; without it, what this run was given."""
    source_id: str | None = None
    """The source that is watched from now on, where it is one."""


class ScheduleMonitoringResult(Payload):
    schedule_id: str
    name: str
    changed: bool


SCHEDULE_MONITORING = Operation(
    "scan_logic.schedule_monitoring",
    ScheduleMonitoringInput,
    ScheduleMonitoringResult,
    "Schedules the run's own job to run again.",
    permission="workflows:write",
    example={"name": "shop-nightly", "cron": "30 2 * * *", "time_zone": "Europe/Berlin"},
)
