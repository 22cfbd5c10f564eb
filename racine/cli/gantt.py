"""`racine runs gantt`: when each task of a run was at work."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from racine.cli import profiles
from racine.cli.output import Format, Output, as_json, table
from racine.cli.runs import Run

WIDTH = 40
"""Places of a bar."""

Span = tuple[float, float]
"""Begin and end, in seconds after the run's first task began."""


def gantt(run: Run, output: Output = Format.TABLE) -> None:
    """Draw when each task was at work; the end waited for those with a star."""
    with profiles.client() as client:
        graph = client.graph(run)
    if output is Format.JSON:
        as_json(graph)
        return
    spans = _spans(graph["tasks"])
    whole = max((end for of_task in spans.values() for _, end in of_task), default=0.0)
    rows = [
        (
            "*" if task["key"] in graph["critical_path"] else "",
            task["key"],
            task["state"],
            f"{sum(end - begin for begin, end in of_task):.2f}" if of_task else "",
            bar(of_task, whole),
        )
        for task, of_task in zip(graph["tasks"], spans.values(), strict=True)
    ]
    table(("", "task", "state", "seconds", f"{whole:.2f} s"), rows)
    typer.echo(f"{run}: {graph['state']}")


def bar(spans: Sequence[Span], whole: float) -> str:
    """Return a line in which each span fills its share of the whole, and one place at least."""
    places = [" "] * WIDTH
    scale = whole or 1.0
    for begin, end in spans:
        first = min(WIDTH - 1, int(begin / scale * WIDTH))
        last = min(WIDTH, max(first + 1, round(end / scale * WIDTH)))
        places[first:last] = "█" * (last - first)
    return "".join(places).rstrip()


def _spans(tasks: Sequence[dict[str, Any]]) -> dict[str, list[Span]]:
    """Return the attempts of each task; those that go on have come as far as now."""
    now = datetime.now(UTC)
    times = {
        task["key"]: [
            (_moment(segment["started_at"], now), _moment(segment["ended_at"], now))
            for segment in task["segments"]
        ]
        for task in tasks
    }
    first = min((begin for of_task in times.values() for begin, _ in of_task), default=now)
    return {
        key: [((b - first).total_seconds(), (e - first).total_seconds()) for b, e in of_task]
        for key, of_task in times.items()
    }


def _moment(told: str | None, now: datetime) -> datetime:
    return now if told is None else datetime.fromisoformat(told)
