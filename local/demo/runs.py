"""Starts governance runs and keeps what happened when."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from racine.client import Client, Event
from racine.errors import Unavailable

Json = dict[str, Any]

JOB = "governance_run"
_SECONDS = 30.0


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
    outputs: Json = field(default_factory=dict)
    seconds: float = 0.0
    tasks: dict[str, TaskTimes] = field(default_factory=dict)

    @property
    def source_id(self) -> str:
        return str(self.outputs["source_id"])


def sign_in(url: str, email: str, password: str) -> Client:
    """Return a client with the access token of that person; raise Unavailable when refused."""
    answer = httpx.post(
        f"{url}/api/auth/login",
        json={"email": email, "password": password},
        timeout=_SECONDS,
        trust_env=False,
    )
    if answer.is_error:
        raise Unavailable(f"{email} cannot sign in at {url}: {answer.text}")
    return Client(url, answer.json()["access_token"])


def register_job(racine: Client) -> None:
    """Save the governance template as a job of the workspace."""
    for template in racine.items("/api/racine/workflows/templates"):
        if template["name"] == JOB:
            racine.apply(template["document"])


def govern(racine: Client, source: Source, **parameters: Any) -> Run:
    """Run the job on a source and wait for its end; raise Unavailable unless it completed."""
    given = {"name": source.name, "kind": source.kind, "location": str(source.location)}
    run = Run(racine.run(JOB, given | parameters), source)
    for event in racine.events(run.id):
        _note(run, event)
    found = racine.run_detail(run.id)
    if found["state"] != "completed":
        raise Unavailable(
            f"The run {run.id} over {source.name} ended as {found['state']}: {found['error']}.",
            next_step="Temporal Web shows where: open the state with `racine dev`.",
        )
    run.outputs = found["outputs"]
    run.seconds = (_moment(found["ended_at"]) - _moment(found["started_at"])).total_seconds()
    return run


def _note(run: Run, event: Event) -> None:
    if not event.task_key:
        return
    if event.kind == "started":
        run.tasks[event.task_key] = TaskTimes(_moment(event.at))
    elif event.kind in ("succeeded", "failed", "skipped"):
        times = run.tasks.setdefault(event.task_key, TaskTimes(_moment(event.at)))
        times.ended, times.outcome = _moment(event.at), event.kind


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
