"""Watches the health rules that a run cannot watch itself: while it is queued, while its tasks wait
for workers, and over the iterations of its loops.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session
from temporalio.client import Client

from models.session import Database
from models.stores import breaches, jobs, run_queue, runs
from models.stores.runs import Run
from racine.definitions.document import JobDocument
from racine.definitions.health import HealthMetric, HealthRule, OnBreach
from racine.engine.states import RunState
from racine.errors import RacineError
from services import controls, status
from services.access import system
from services.controls import RunControl

_RUNS = 100
"""Runs of one version that are looked at in one round."""
_INDEX = re.compile(r"\[\d+\]")
_ENDS = {OnBreach.CANCEL: RunState.CANCELLED, OnBreach.FAIL: RunState.FAILED}
_log = structlog.get_logger("vigils")


@dataclass(frozen=True)
class _Watched:
    """What is watched over the runs of one version of a job."""

    rules: dict[str, HealthRule]
    """Those that are watched here, by their place in the document."""
    on_breach: OnBreach
    patience: timedelta
    """How long its runs may be queued."""


@dataclass(frozen=True)
class _Breach:
    rule: str
    task_key: str
    message: str


class Duty:
    """The reconciler's part."""

    def __init__(self, db: Database, client: Client, *, look_every: float = 5.0) -> None:
        self._db, self._client = db, client
        self._look_every = timedelta(seconds=look_every)
        self._looked_at = datetime.fromtimestamp(0, UTC)
        self._known: dict[tuple[str, int], _Watched | None] = {}
        self._reached: dict[tuple[str, int], str] = {}

    async def __call__(self) -> None:
        if datetime.now(UTC) - self._looked_at < self._look_every:
            return
        self._looked_at = datetime.now(UTC)
        for run, watched in await asyncio.to_thread(self._runs):
            try:
                await self._look(run, watched)
            except RacineError as fault:
                _log.info("not_looked_at", run_id=run.id, reason=str(fault))

    def _runs(self) -> list[tuple[Run, _Watched]]:
        """Return the open runs that are watched, of large numbers some in each round."""
        found = []
        with self._db.read() as session:
            versions = runs.open_versions(session)
            for version in versions:
                if version not in self._known:
                    self._known[version] = _read(session, *version)
                watched = self._known[version]
                if watched is not None:
                    part = runs.open_of(session, *version, self._reached.get(version, ""), _RUNS)
                    self._reached[version] = part[-1].id if len(part) == _RUNS else ""
                    found += [(run, watched) for run in part]
        for gone in self._known.keys() - set(versions):
            del self._known[gone]
            self._reached.pop(gone, None)
        return found

    async def _look(self, run: Run, watched: _Watched) -> None:
        pending: list[status.PendingTask] = []
        waits = (r.metric is HealthMetric.TASK_QUEUE_SECONDS for r in watched.rules.values())
        if run.state != RunState.QUEUED and run.started and any(waits):
            pending = await status.pending_everywhere(self._client, run)
        order = await asyncio.to_thread(self._judge, run.id, watched, pending)
        if order is not None:
            await controls.deliver(self._db, self._client, order)

    def _judge(
        self, run_id: str, watched: _Watched, pending: list[status.PendingTask]
    ) -> RunControl | None:
        """Tell of what is broken and not told yet; return the order that ends a run for it."""
        order = None
        with self._db.write() as session:
            run = runs.get(session, run_id)
            told = breaches.told(session, run_id, run.repair)
            for place, rule in watched.rules.items():
                if place in told:
                    continue
                breach = _broken(session, run, place, rule, watched, pending)
                if breach is not None:
                    order = _act(session, run, rule, watched, breach) or order
        return order


def _read(session: Session, job_id: str, number: int) -> _Watched | None:
    document = JobDocument.model_validate(jobs.get_version(session, job_id, number).document)
    health = document.health
    rules = {str(n): rule for n, rule in enumerate(health.rules) if rule.outside} if health else {}
    if health is None or not rules:
        return None
    return _Watched(rules, health.on_breach, timedelta(seconds=document.queue.timeout_seconds))


def _broken(
    session: Session,
    run: Run,
    place: str,
    rule: HealthRule,
    watched: _Watched,
    pending: list[status.PendingTask],
) -> _Breach | None:
    """Return how a run breaks a rule now, if it does."""
    limit, now = timedelta(seconds=rule.value), datetime.now(UTC)
    if rule.metric is HealthMetric.RUN_QUEUE_SECONDS:
        since = run.queue_deadline - watched.patience if run.queue_deadline else run.created_at
        if run.state != RunState.QUEUED or now - since <= limit:
            return None
        return _Breach(place, "", f"The run has been queued for longer than {rule.value:g} s.")
    if rule.metric is HealthMetric.TASK_QUEUE_SECONDS:
        late = [task.task_key for task in pending if _late(task, rule, now - limit)]
        return _of_tasks(place, late, f"has waited for a worker longer than {rule.value:g} s")
    return _of_tasks(place, _slow(session, run, rule, now - limit),
                     f"takes longer than {rule.value:g} s")  # fmt: skip


def _of_tasks(place: str, paths: list[str], what: str) -> _Breach | None:
    if not paths:
        return None
    more = f", and {len(paths) - 1} more" if len(paths) > 1 else ""
    return _Breach(place, paths[0], f"Task {paths[0]!r} {what}{more}.")


def _late(task: status.PendingTask, rule: HealthRule, moment: datetime) -> bool:
    named = rule.task_key in (None, _INDEX.sub("", task.task_key))
    return named and task.queued_at is not None and task.queued_at < moment


def _slow(session: Session, run: Run, rule: HealthRule, moment: datetime) -> list[str]:
    """Return the iterations' tasks of the rule that have run since before a moment."""
    wanted = rule.task_key or ""
    pattern = "[%].".join(part.replace("_", "\\_") for part in wanted.split("."))
    found = runs.begun_before(session, run.id, pattern, moment)
    return [path for path in found if _INDEX.sub("", path) == wanted]


def _act(
    session: Session, run: Run, rule: HealthRule, watched: _Watched, breach: _Breach
) -> RunControl | None:
    on_breach = rule.on_breach or watched.on_breach
    body: dict[str, Any] = {
        "rule": breach.rule, "task_key": breach.task_key, "metric": rule.metric.value,
        "value": rule.value, "on_breach": on_breach.value, "message": breach.message,
    }  # fmt: skip
    breaches.tell(session, run, body, run.repair)
    end = _ENDS.get(on_breach)
    if end is None:
        return None
    if run.state == RunState.QUEUED:
        error = {"code": "health", "message": breach.message, "task_key": ""}
        if run_queue.leave(session, run, end, error):
            runs.close_log(session, run.id, end, error)
        return None
    return controls.record(
        session, system(run.workspace_id), run.id, controls.Action.CANCEL,
        {"reason": breach.message}, f"health-{run.repair}-{breach.rule}",
    )  # fmt: skip
