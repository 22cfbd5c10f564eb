"""Prints what the demo found, for a person to read."""

import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from local.demo.runs import Run

_BAR = 40


class Report:
    """The demo's one voice."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, width=100 if not sys.stdout.isatty() else None)

    def step(self, line: str) -> None:
        self._console.print(line, style="dim", markup=False)

    def timeline(self, run: Run) -> None:
        """Draw when each task of a run began and ended."""
        table = Table(
            title=f"Run {run.id} over {run.source.name}: {run.state}, {run.seconds:.1f} s"
        )
        for heading in ("task", "outcome", "seconds", "when"):
            table.add_column(heading, justify="right" if heading == "seconds" else "left")
        begin = min(times.started for times in run.tasks.values())
        for key, times in run.tasks.items():
            start = (times.started - begin).total_seconds()
            took = ((times.ended or times.started) - times.started).total_seconds()
            bar = _bar(start, took, max(run.seconds, 0.001))
            table.add_row(key, times.outcome, f"{took:.2f}", bar)
        self._console.print(table)

    def end(self, seconds: float, state: Path) -> None:
        self._console.print(f"\nThe demo took {seconds:.0f} s.")
        command = f"racine dev --state {state}"
        self._console.print(
            f"Open it (API docs, Temporal Web): {command}", soft_wrap=True, style="bold"
        )


def _bar(start: float, took: float, whole: float) -> str:
    left = min(_BAR - 1, int(start / whole * _BAR))
    return " " * left + "█" * max(1, min(_BAR - left, round(took / whole * _BAR)))
