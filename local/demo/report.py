"""Prints what the demo found, for a person to read."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.demo.findings import Classified
from local.demo.runs import Json, Run
from racine.cli.gantt import bar

_PLAIN_WIDTH = 120
_SHOWN = 6
_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "dim"}


class Report:
    """The demo's one voice."""

    def __init__(self) -> None:
        width = None if sys.stdout.isatty() else _PLAIN_WIDTH
        self._console = Console(highlight=False, width=width)

    def step(self, line: str) -> None:
        self._console.print(line, style="dim", markup=False)

    def sources(self, runs: Sequence[Run]) -> None:
        table = self._table("Sources", "source", "kind", "assets", "columns", "classified",
                            "passed", "failed", "undecided", "seconds")  # fmt: skip
        for run in runs:
            out = run.outputs
            counts = (out["assets"], out["columns"], out["classified"], out["passed"],
                      out["failed"], out["unknown"])  # fmt: skip
            row = (run.source.name, run.source.kind, *map(str, counts), f"{run.seconds:.1f}")
            table.add_row(*row)
        self._console.print(table)

    def classified(self, kinds: Sequence[Classified]) -> None:
        title = "Classified columns by kind (masked: 9 is a digit, a and A are letters)"
        table = self._table(title, "kind", "columns", "sensitivity", "surest column", "sure",
                            "masked", "evidence")  # fmt: skip
        for found in kinds:
            cells = (found.kind, str(found.columns), found.sensitivity, found.surest,
                     f"{found.confidence:.3f}", found.shape, found.words)  # fmt: skip
            # As text: brackets in a name or a shape are no markup.
            table.add_row(*map(Text, cells))
        self._console.print(table)

    def findings(self, failed: Mapping[str, Sequence[Json]], undecided: Mapping[str, int]) -> None:
        table = self._table("Findings, the worst first", "framework", "control", "severity",
                            "where", "what")  # fmt: skip
        for framework, found in failed.items():
            for finding in found[:_SHOWN]:
                severity = Text(finding["severity"], style=_STYLES[finding["severity"]])
                where = Text(f"{finding['source']}/{finding['subject']}")
                message = Text(finding["message"])
                table.add_row(framework, Text(finding["control"]), severity, where, message)
            if len(found) > _SHOWN:
                table.add_row(
                    framework, "", "", "", f"… and {len(found) - _SHOWN} more", style="dim"
                )
        self._console.print(table)
        words = ", ".join(f"{count} of {framework}" for framework, count in undecided.items())
        self._console.print(f"Undecided for want of a fact that people enter: {words}.")

    def plan(self, run: Run, steps: Sequence[Json]) -> None:
        closes = sum(len(step["closes"]) for step in steps)
        title = f"Remediation plan of {run.source.name}: {len(steps)} steps close {closes} findings"
        table = self._table(title, "where", "changes", "what to do", "who", "closes")
        for step in steps[:_SHOWN]:
            cells = (step["place"], step["changes"], step["instruction"], step["owner"],
                     str(len(step["closes"])))  # fmt: skip
            table.add_row(*map(Text, cells))
        if len(steps) > _SHOWN:
            table.add_row("", "", f"… and {len(steps) - _SHOWN} more", "", "", style="dim")
        self._console.print(table)

    def catalog(self, assets: Mapping[tuple[str, str], int]) -> None:
        table = self._table(
            f"Catalog: {sum(assets.values())} assets", "kind", "sensitivity", "assets"
        )
        for (kind, sensitivity), count in sorted(assets.items()):
            table.add_row(kind, sensitivity, str(count))
        self._console.print(table)

    def schedule(self, schedule: Json, next_time: str) -> None:
        self._console.print(
            f"Schedule {schedule['name']!r}: {schedule['cron']} {schedule['time_zone']}, "
            f"overlap {schedule['overlap']}, next at {next_time}"
        )

    def closed(self, finding: Json) -> None:
        line = (f"{finding['control']} on {finding['subject']}: {finding['state']}, "
                f"{finding['closed_because']}")  # fmt: skip
        self._console.print(Text("✓ " + line, style="green"))

    def timeline(self, run: Run) -> None:
        """Draw when each task of a run began and ended."""
        title = f"Run {run.id} over {run.source.name}: {run.seconds:.1f} s"
        table = self._table(title, "task", "outcome", "seconds", "when")
        begin = min(times.started for times in run.tasks.values())
        for key, times in run.tasks.items():
            start = (times.started - begin).total_seconds()
            took = ((times.ended or times.started) - times.started).total_seconds()
            drawn = bar([(start, start + took)], run.seconds)
            table.add_row(key, times.outcome, f"{took:.2f}", drawn)
        self._console.print(table)

    def end(self, seconds: float, state: Path) -> None:
        command = f"racine dev --state {state}"
        self._console.print(f"\nThe demo took {seconds:.0f} s.")
        self._console.print(
            f"Open it (API docs, Temporal Web): {command}", soft_wrap=True, style="bold"
        )

    @staticmethod
    def _table(title: str, *headings: str) -> Table:
        table = Table(title=title, title_justify="left", title_style="bold")
        for heading in headings:
            table.add_column(heading, overflow="fold")
        return table
