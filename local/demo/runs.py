"""Starts governance runs and keeps what happened when."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from local.demo.api import Api, Json
from racine.errors import Unavailable

_TEMPLATE = "governance_run"


@dataclass(frozen=True)
class Source:
    name: str
    kind: str
    location: Path


@dataclass
class TaskTimes:
    started: datetime
    ended: datetime | None = None
    outcome: str = "open"


@dataclass
class Run:
    """A finished run: its outputs, and when each of its tasks began and ended."""

    id: str
    source: Source
    state: str = ""
    outputs: Json = field(default_factory=dict)
    seconds: float = 0.0
    tasks: dict[str, TaskTimes] = field(default_factory=dict)


def register_job(api: Api) -> str:
    """Save the governance template as a job of the workspace; return the job's id."""
    templates = api.get("/api/racine/workflows/templates")["items"]
    document = next(item["document"] for item in templates if item["name"] == _TEMPLATE)
    return str(api.post("/api/racine/workflows", {"document": document})["id"])


def govern(api: Api, job_id: str, source: Source, **parameters: Any) -> Run:
    """Run the job on a source and wait for its end; raise Unavailable unless it completed."""
    given = {"name": source.name, "kind": source.kind, "location": str(source.location)}
    started = api.post(
        f"/api/racine/workflows/{job_id}/execute", {"parameters": given | parameters}
    )
    run = Run(started["id"], source)
    for event in api.follow(run.id):
        _note(run, event)
    found = api.get(f"/api/racine/workflows/executions/{run.id}")
    run.state, run.outputs = found["state"], found["outputs"]
    if run.state != "completed":
        raise Unavailable(
            f"The run {run.id} over {source.name} ended as {run.state}: {found['error']}.",
            next_step="Temporal Web shows where: open the state with `racine dev`.",
        )
    run.seconds = (_moment(found["ended_at"]) - _moment(found["started_at"])).total_seconds()
    return run


def _note(run: Run, event: Json) -> None:
    key, kind, at = event["task_key"], event["kind"], _moment(event["at"])
    if not key:
        return
    if kind == "started":
        run.tasks[key] = TaskTimes(at)
    elif kind in ("succeeded", "failed", "skipped"):
        times = run.tasks.setdefault(key, TaskTimes(at))
        times.ended, times.outcome = at, kind


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
