"""A run in the terminal, as it goes on."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from racine.cli.output import console, made_table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from racine.client import Client

COLUMNS = ("task", "state", "attempts", "seconds", "")
_ENDED = frozenset({"completed", "failed", "cancelled", "terminated", "timed_out"})
_SECONDS = 0.5
_RANK = {"failed": 0, "running": 1, "pending": 2}
"""What a small screen shows first."""


def rows_of(tasks: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return one row for each task: its state, its time, and why it waits or failed."""
    return [
        (
            task["key"],
            task["state"],
            len(task["segments"]) or "",
            _seconds(task),
            task["waiting"] or (task["error"] or {}).get("message", ""),
        )
        for task in tasks
    ]


def watch_run(client: "Client", run_id: str) -> str:
    """Draw the run anew until it has ended; return how it ended."""
    from rich.live import Live

    screen, state = console(), ""
    with Live(console=screen, auto_refresh=False) as live:
        for graph in _looks(client, run_id):
            live.update(_drawn(graph, screen.height), refresh=True)
            state = str(graph["state"])
    if not screen.is_terminal:
        typer.echo()
    return state


def print_changes(client: "Client", run_id: str) -> str:
    """Print the run's graph as a line of JSON whenever it has changed; return how it ended."""
    before: dict[str, Any] = {}
    for graph in _looks(client, run_id):
        if graph != before:
            typer.echo(json.dumps(graph, ensure_ascii=False))
        before = graph
    return str(before["state"])


def _looks(client: "Client", run_id: str) -> Iterator[dict[str, Any]]:
    while True:
        graph = client.graph(run_id)
        yield graph
        if graph["state"] in _ENDED:
            return
        time.sleep(_SECONDS)


def _drawn(graph: dict[str, Any], height: int) -> "RenderableType":
    from rich.console import Group
    from rich.text import Text

    tasks = graph["tasks"]
    done = sum(task["state"] not in ("pending", "running") for task in tasks)
    head = Text(f"{graph['run_id']}  {graph['state']}  {done} of {len(tasks)} tasks")
    room = max(height - 4, 5)
    first = sorted(tasks, key=lambda task: _RANK.get(task["state"], 3))[:room]
    shown = [task for task in tasks if task in first] if len(tasks) > room else tasks
    return Group(head, made_table(COLUMNS, rows_of(shown)))


def _seconds(task: dict[str, Any]) -> str:
    if task["started_at"] is None or task["ended_at"] is None:
        return ""
    start, end = (datetime.fromisoformat(task[name]) for name in ("started_at", "ended_at"))
    return f"{(end - start).total_seconds():.2f}"
