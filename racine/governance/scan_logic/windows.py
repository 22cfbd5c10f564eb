"""When a source may be read: windows of local time, right on the days the clock changes too."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def seconds_until_open(
    now: datetime, start: str, end: str, zone: str, days: Collection[str] = ()
) -> float:
    """Return how long it is until the window is open, 0.0 while it is.

    `start` and `end` are `HH:MM` in the zone; an `end` at or before the `start` is on the next day.
    """
    local = now.astimezone(ZoneInfo(zone)).date()
    opens: list[float] = []
    for ahead in range(-1, 9):
        day = local + timedelta(days=ahead)
        if days and _DAYS[day.weekday()] not in days:
            continue
        begun, ended = _moment(day, start, zone), _moment(day, end, zone)
        if end <= start:
            ended = _moment(day + timedelta(days=1), end, zone)
        if begun <= now < ended:
            return 0.0
        if begun > now:
            opens.append((begun - now).total_seconds())
    return min(opens)


def _moment(day: date, clock: str, zone: str) -> datetime:
    moment = datetime.combine(day, time.fromisoformat(clock), ZoneInfo(zone))
    return moment.astimezone(UTC)
