"""When a job runs by itself: one cron line in a time zone, with its policies."""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from racine.definitions.document import Part


class Overlap(StrEnum):
    """What happens when the time comes while the last run still goes on (Temporal's six)."""

    SKIP = "skip"
    BUFFER_ONE = "buffer_one"
    BUFFER_ALL = "buffer_all"
    CANCEL_OTHER = "cancel_other"
    TERMINATE_OTHER = "terminate_other"
    ALLOW_ALL = "allow_all"


_FIELD = re.compile(r"[0-9A-Za-z*/,\-]+")
_FIELDS = 5


def _cron(value: str) -> str:
    # Its tables take 3 MB, which a process that saves no schedule need not hold.
    from croniter import croniter

    fields = value.split()
    if len(fields) != _FIELDS:
        raise ValueError(f"has {len(fields)} fields; a cron line has five: minute to day of week")
    if not all(map(_FIELD.fullmatch, fields)) or not croniter.is_valid(value):
        raise ValueError("is not a cron line; '30 2 * * MON-FRI' is one")
    if fields[2] != "*" and fields[4] != "*":
        # Cron takes a day that fits either field, Temporal one that fits both.
        raise ValueError("names days of the month and of the week: use two schedules instead")
    return " ".join(fields)


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("is not an IANA time zone; 'Europe/Berlin' is one")
    return value


Cron = Annotated[str, StringConstraints(max_length=200), AfterValidator(_cron)]
Zone = Annotated[str, StringConstraints(max_length=100), AfterValidator(_zone)]
ScheduleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]


class ScheduleSpec(Part):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "nightly", "cron": "0 2 * * *", "time_zone": "Europe/Berlin"}
        }
    )

    name: ScheduleName
    cron: Cron
    time_zone: Zone = "UTC"
    overlap: Overlap = Overlap.SKIP
    catchup_window_seconds: int = Field(default=3600, ge=10, le=31_536_000)
    """How far back runs missed while Temporal was down are made up for."""
    jitter_seconds: int = Field(default=0, ge=0, le=86_400)
    parameters: dict[str, Any] = Field(default_factory=dict)


def upcoming(cron: str, time_zone: str, after: datetime, count: int) -> list[datetime]:
    """Return the next moments of a cron line as croniter reads it.

    Where clocks change, Temporal's own reading is the one that counts.
    """
    from croniter import croniter

    moments: Iterator[datetime] = croniter(
        cron, after.astimezone(ZoneInfo(time_zone)), ret_type=datetime
    )
    return list(islice(moments, count))
