"""How fast the classifier is: rows read, profiled and put to every classifier, on one core."""

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import scan

WANTED = 20_000
"""Rows a second that we hold ourselves to."""
_PROGRAM = Path(__file__).resolve().parents[2] / "server.py"


@dataclass(frozen=True)
class Speed:
    rows: int
    columns: int
    seconds: float
    rows_per_second: int
    cpu_seconds: float
    """Of the run with the fewest: what a busy machine takes away does not count here."""


def measure(rows: int = scan.ROWS, runs: int = 3) -> Speed:
    """Return the fastest of some runs of `racine scan` over a file of 30 columns: every row, every
    pack, from the start of the process to its end, on one core."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        scan.write(path, rows)
        command = [sys.executable, str(_PROGRAM), "scan", str(path), "--output", "json"]
        found = [scan.timed(command) for _ in range(runs)]
    read = json.loads(found[0].output)["totals"]
    assert read["rows"] == rows, "not every row was read"
    seconds = min(timing.seconds for timing in found)
    cpu = min(timing.cpu for timing in found)
    return Speed(rows, read["columns"], round(seconds, 2), round(rows / seconds), round(cpu, 2))


def markdown(speed: Speed) -> str:
    """Return what was measured as a sentence."""
    return (
        f"{speed.rows:,} rows of {speed.columns} columns, all read, profiled and put to every "
        f"classifier on one core in {speed.seconds} s, the start of the process included: "
        f"{speed.rows_per_second:,} rows a second (wanted: {WANTED:,}). "
        f"The processor worked {speed.cpu_seconds} s of them."
    )


def summary(speed: Speed) -> dict[str, float]:
    """Return the figures for machines."""
    return asdict(speed)
