"""Windows: past midnight, on some days, on the days the clock changes."""

from datetime import UTC, datetime

import pytest

from racine.governance.scan_logic.windows import seconds_until_open

HOUR = 3600.0


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("2026-03-10T21:00", 1.0),
        ("2026-03-10T22:00", 0.0),
        ("2026-03-11T03:00", 0.0),
        ("2026-03-11T06:00", 16.0),
    ],
)
def test_a_night_is_open_past_midnight(moment: str, hours: float) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert seconds_until_open(now, "22:00", "06:00", "UTC") == hours * HOUR


def test_a_window_begins_on_its_days_alone() -> None:
    saturday_night = datetime(2026, 3, 14, 23, tzinfo=UTC)
    after_friday = datetime(2026, 3, 14, 3, tzinfo=UTC)
    week = ("mon", "tue", "wed", "thu", "fri")
    assert seconds_until_open(after_friday, "22:00", "06:00", "UTC", week) == 0.0
    assert seconds_until_open(saturday_night, "22:00", "06:00", "UTC", week) == 47 * HOUR


def test_local_hours_hold_when_the_clock_changes() -> None:
    # On 29 March 2026 Berlin goes from 02:00 to 03:00: its night is an hour shorter.
    before = datetime(2026, 3, 28, 20, tzinfo=UTC)
    assert seconds_until_open(before, "22:00", "06:00", "Europe/Berlin") == HOUR
    five_local = datetime(2026, 3, 29, 3, 59, tzinfo=UTC)
    six_local = datetime(2026, 3, 29, 4, 0, tzinfo=UTC)
    assert seconds_until_open(five_local, "22:00", "06:00", "Europe/Berlin") == 0.0
    assert seconds_until_open(six_local, "22:00", "06:00", "Europe/Berlin") == 16 * HOUR


def test_a_whole_day_is_always_open() -> None:
    now = datetime(2026, 3, 10, 12, 34, tzinfo=UTC)
    assert seconds_until_open(now, "00:00", "00:00", "UTC") == 0.0
