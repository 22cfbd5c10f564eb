"""Queries over runs as a whole: their events in bulk, and the summaries made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.tables.run_summaries import RunSummary as RunSummary
from models.tables.runs import Run, RunEvent
from racine.engine.states import FINAL_RUN_STATES


@dataclass(frozen=True)
class Happening:
    """One event of a task, without the ORM's weight: there are thousands in a run."""

    task_key: str
    attempt: int
    kind: str
    at: datetime
    body: dict[str, Any]


_KINDS = ("started", "succeeded", "failed", "skipped", "excluded", "cancelled")
_ORDER = "order"

_ASKS = ("waiting", "started")


def happenings(session: Session, run_id: str) -> list[Happening]:
    """Return when the run's tasks started and ended, in order."""
    query = (
        select(RunEvent.task_key, RunEvent.attempt, RunEvent.kind, RunEvent.at, RunEvent.body)
        .where(
            RunEvent.run_id == run_id, RunEvent.task_key != "", RunEvent.kind.in_((*_KINDS, _ORDER))
        )
        .order_by(RunEvent.id)
    )
    return [Happening(*row) for row in session.execute(query)]


def asked(session: Session, run_id: str) -> dict[str, dict[str, Any]]:
    """Return what tasks said, by key, when they last began to wait for a time or for people."""
    query = select(RunEvent.task_key, RunEvent.kind, RunEvent.body).where(
        RunEvent.run_id == run_id, RunEvent.task_key != "", RunEvent.kind.in_((*_ASKS, *_KINDS))
    )
    said: dict[str, dict[str, Any]] = {}
    for key, kind, body in session.execute(query.order_by(RunEvent.id)):
        if kind in _ASKS and body:
            said[key] = body
        elif kind not in _ASKS:
            said.pop(key, None)
    return said


def latest(session: Session, job_id: str, limit: int) -> Sequence[tuple[Run, RunSummary | None]]:
    """Return a job's last runs, newest first, with their summaries where there are any."""
    query = (
        select(Run, RunSummary)
        .outerjoin(RunSummary, RunSummary.run_id == Run.id)
        .where(Run.job_id == job_id)
        .order_by(Run.created_at.desc(), Run.id.desc())
        .limit(limit)
    )
    return [(run, summary) for run, summary in session.execute(query)]


def missing(session: Session, before: datetime, limit: int) -> Sequence[Run]:
    """Return runs that ended before that moment and have no summary yet."""
    query = (
        select(Run)
        .outerjoin(RunSummary, RunSummary.run_id == Run.id)
        .where(Run.state.in_(FINAL_RUN_STATES), Run.ended_at < before, RunSummary.run_id.is_(None))
        .order_by(Run.ended_at)
        .limit(limit)
    )
    return session.scalars(query).all()


def forget(session: Session, run_id: str) -> None:
    """Drop the summary of a run that goes on."""
    session.execute(delete(RunSummary).where(RunSummary.run_id == run_id))


def put(session: Session, run_id: str, values: dict[str, Any]) -> None:
    """Keep a run's summary; a later one takes its place."""
    session.merge(RunSummary(run_id=run_id, **values))
