"""Runs as people look at them: graph, timeline, matrix of runs and tasks, failures by likeness."""

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.session import Database
from models.stores import jobs, summaries
from models.stores.runs import Run
from models.stores.summaries import Happening, RunSummary
from racine.definitions.document import TASK_KINDS, FailurePolicy, RunIf
from racine.engine.states import FINAL_RUN_STATES, TaskState
from services import access, executions, workflows
from services.access import Actor

LETTERS = {
    TaskState.PENDING: "p",
    TaskState.RUNNING: "r",
    TaskState.SUCCEEDED: "s",
    TaskState.FAILED: "f",
    TaskState.SKIPPED: "k",
    TaskState.EXCLUDED: "x",
    TaskState.CANCELLED: "c",
}
_SETTLED_AFTER = timedelta(seconds=5)
"""Workers write events in batches: a run's log is whole soon after its end, not at once."""
_BATCH = 25
_VARYING = re.compile(r"0x[0-9a-f]+|'[^']*'|\"[^\"]*\"|\b[0-9a-z]+_[0-9a-z]{26}\b|/\S+|\d+", re.I)


@dataclass
class Segment:
    """One attempt of a task."""

    attempt: int
    started_at: datetime
    ended_at: datetime | None = None
    state: TaskState = TaskState.RUNNING


@dataclass
class TaskView:
    """A task of a run: where it stands, and every attempt so far."""

    key: str
    kind: str
    operation: str = ""
    state: TaskState = TaskState.PENDING
    error: dict[str, Any] | None = None
    depends_on: list[dict[str, Any]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    run_if: str = RunIf.ALL_SUCCESS.value
    holds: bool = False
    """Whether the run waits for a person when the task has failed."""
    reason: str = ""
    """Why it was left out, as the interpreter names it."""
    waiting: str = ""
    """Why it is not at work; empty for one that is, and for one that has run."""
    held: str = ""
    """Who holds it back, and why."""

    @property
    def started_at(self) -> datetime | None:
        return self.segments[0].started_at if self.segments else None

    @property
    def ended_at(self) -> datetime | None:
        return self.segments[-1].ended_at if self.segments else None


def of_run(session: Session, actor: Actor, run_id: str) -> tuple[Run, list[TaskView]]:
    """Return a run's tasks in the document's order, each with its state and attempts."""
    run = executions.get(session, actor, run_id)
    return run, _views(session, run)


def critical_path(views: Sequence[TaskView]) -> list[str]:
    """Return the tasks that the run's end waited for, first to last."""
    by_key = {view.key: view for view in views}
    ended = [view for view in views if view.ended_at]
    path: list[str] = []
    current = max(ended, key=_end, default=None)
    while current is not None:
        path.append(current.key)
        before = [by_key[upstream["task_key"]] for upstream in current.depends_on]
        current = max((view for view in before if view.ended_at), key=_end, default=None)
    return path[::-1]


def _end(view: TaskView) -> datetime:
    return view.ended_at or datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class MatrixRow:
    run: Run
    states: str
    starts: list[int | None]
    durations: list[int | None]
    attempts: list[int]


def matrix(
    session: Session, actor: Actor, job_id: str, limit: int
) -> tuple[dict[int, list[str]], list[MatrixRow]]:
    """Return the last runs of a job by its tasks, and the task keys of each version they ran."""
    workflows.get(session, actor, job_id)
    rows, keys = [], dict[int, list[str]]()
    for run, summary in summaries.latest(session, job_id, limit):
        if run.job_version not in keys:
            keys[run.job_version] = [task["task_key"] for task in _tasks(session, run)]
        found = summary or RunSummary(run_id=run.id, **_summary(session, run))
        rows.append(MatrixRow(run, found.states, found.starts, found.durations, found.attempts))
    return keys, rows


@dataclass
class FailureGroup:
    """Failures that differ in nothing but numbers, names and ids."""

    fingerprint: str
    task_key: str
    code: str
    message: str
    """Of the latest."""
    run_ids: list[str] = field(default_factory=list)


def failures(session: Session, actor: Actor, job_id: str, limit: int) -> list[FailureGroup]:
    """Group what failed in a job's last runs, the most frequent first."""
    access.require(session, actor, "workflows:read")
    workflows.get(session, actor, job_id)
    groups: dict[str, FailureGroup] = {}
    for run, summary in summaries.latest(session, job_id, limit):
        found = summary.failures if summary else _summary(session, run)["failures"]
        for failure in found:
            print_ = failure["fingerprint"]
            group = groups.setdefault(print_, FailureGroup(**failure))
            group.run_ids.append(run.id)
    return sorted(groups.values(), key=lambda group: -len(group.run_ids))


def fingerprint(task_key: str, code: str, message: str) -> str:
    """Return what failures of one cause share: numbers, ids, paths and quoted names drop out."""
    likeness = "\0".join((task_key, code, _VARYING.sub("#", message)))
    return hashlib.sha256(likeness.encode()).hexdigest()[:16]


class Duty:
    """The reconciler's part: summarises runs once their log is whole."""

    def __init__(self, db: Database, *, settled_after: timedelta = _SETTLED_AFTER) -> None:
        self._db = db
        self._settled_after = settled_after

    async def __call__(self) -> None:
        await asyncio.to_thread(self._summarise)

    def _summarise(self) -> None:
        with self._db.write() as session:
            before = datetime.now(UTC) - self._settled_after
            for run in summaries.missing(session, before, _BATCH):
                summaries.put(session, run.id, _summary(session, run))


def _summary(session: Session, run: Run) -> dict[str, Any]:
    views = _views(session, run)
    begins = [view.started_at for view in views if view.started_at]
    origin = min(begins, default=run.created_at)
    failed = [view for view in views if view.state is TaskState.FAILED]
    return {
        "states": "".join(LETTERS[view.state] for view in views),
        "starts": [_milliseconds(origin, view.started_at) for view in views],
        "durations": [_milliseconds(view.started_at, view.ended_at) for view in views],
        "attempts": [len(view.segments) for view in views],
        "failures": [_failure(view) for view in failed],
    }


def _failure(view: TaskView) -> dict[str, str]:
    error = view.error or {}
    code, message = str(error.get("code", "failed")), str(error.get("message", ""))
    return {
        "fingerprint": fingerprint(view.key, code, message),
        "task_key": view.key,
        "code": code,
        "message": message,
    }


def _milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() * 1000) if start and end else None


def _tasks(session: Session, run: Run) -> list[dict[str, Any]]:
    return _all_tasks(jobs.get_version(session, run.job_id, run.job_version).document)


def _all_tasks(document: dict[str, Any]) -> list[dict[str, Any]]:
    after = [*document.get("on_failure", []), *document.get("finally", [])]
    return [*document["tasks"], *after]


def _views(session: Session, run: Run) -> list[TaskView]:
    document = jobs.get_version(session, run.job_id, run.job_version).document
    holds = document.get("failure_policy") == FailurePolicy.HOLD
    views = {task["task_key"]: _view(task, holds) for task in _all_tasks(document)}
    for happening in summaries.happenings(session, run.id):
        if (view := views.get(happening.task_key)) is not None:
            _apply(view, happening)
    if run.state in FINAL_RUN_STATES:
        for view in views.values():
            _close(view)
    return list(views.values())


def _view(task: dict[str, Any], holds: bool) -> TaskView:
    kind = next(kind for kind in TASK_KINDS if task.get(kind) is not None)
    operation = task[kind].get("operation", "") if kind == "operation_task" else ""
    return TaskView(
        task["task_key"],
        kind,
        operation,
        depends_on=task.get("depends_on", []),
        run_if=task.get("run_if", RunIf.ALL_SUCCESS.value),
        holds=holds,
    )


def _apply(view: TaskView, happening: Happening) -> None:
    if happening.kind == "order":
        _obey(view, happening.body)
        return
    if happening.kind == "started":
        view.segments.append(Segment(happening.attempt, happening.at))
        view.state = TaskState.RUNNING
        return
    view.state = TaskState(happening.kind)
    view.reason = str(happening.body.get("reason", ""))
    error = happening.body.get("error", happening.body)
    view.error = error if view.state is TaskState.FAILED else None
    last = view.segments[-1] if view.segments else None
    if last is not None and last.ended_at is None:
        last.ended_at, last.state = happening.at, view.state


def _obey(view: TaskView, body: Mapping[str, Any]) -> None:
    if body["order"] == "hold":
        reason = f": {body['reason']}" if body["reason"] else "."
        view.held = f"{body['actor']} holds it back{reason}"
    elif body["order"] == "release":
        view.held = ""
    elif body["order"] == "retry":
        view.state = TaskState.PENDING


def _close(view: TaskView) -> None:
    """A run that was ended from outside leaves tasks that nobody ended."""
    if view.state in (TaskState.RUNNING, TaskState.PENDING):
        view.state = TaskState.CANCELLED
