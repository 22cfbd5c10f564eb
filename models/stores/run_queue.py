"""Whose turn it is among the runs of a job that limits how many go on at once.

A run's own row is what holds its place: nothing else has to be given back when it ends.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, tuple_, update
from sqlalchemy.orm import Session

from models.stores import jobs
from models.tables.jobs import Job
from models.tables.runs import Run
from racine.definitions.document import JobDocument
from racine.definitions.limits import RunLimits, key_of, limits_of
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import Conflict

_GOES_ON = [s for s in RunState if s not in FINAL_RUN_STATES and s is not RunState.QUEUED]
_ORDER: Any = (Run.priority, Run.created_at, Run.id)


@dataclass(frozen=True)
class Turn:
    """Where a queued run stands: its place in the queue, and the runs that it waits for."""

    position: int
    reason: str
    holders: list[str]


def enter(session: Session, document: JobDocument, row: dict[str, Any]) -> bool:
    """Record a run and tell whether it may begin; one too many of its job is queued.

    `row` holds the values of the run's columns but for those of the queue.
    """
    limited = document.max_concurrent_runs is not None or document.concurrency_key is not None
    waits = {
        "limited": limited,
        "priority": document.priority,
        "concurrency_key": key_of(document, row["parameters"]),
    }
    if not limited:
        session.add(Run(state=RunState.SCHEDULED, **row, **waits))
        return True
    patience = timedelta(seconds=document.queue.timeout_seconds)
    deadline = datetime.now(UTC) + patience
    session.add(Run(state=RunState.QUEUED, queue_deadline=deadline, **row, **waits))
    return row["id"] in grant(session, row["job_id"])


def again(session: Session, document: JobDocument, run: Run) -> bool:
    """Let a repaired run begin once more, or queue it; tell whether it may begin."""
    if not run.limited:
        return True
    run.state = RunState.QUEUED
    run.queue_deadline = datetime.now(UTC) + timedelta(seconds=document.queue.timeout_seconds)
    return run.id in grant(session, run.job_id)


def refusal(session: Session, run_id: str) -> Conflict:
    """Return the error for a run that may not begin and may not wait; its transaction must end."""
    found = turn(session, session.get_one(Run, run_id))
    return Conflict(
        f"{found.reason} Now: {', '.join(found.holders)}.",
        next_step="Wait for one of them, or let the job queue its runs: `queue.enabled`.",
        details={"runs": found.holders},
    )


def lock(session: Session, job_id: str) -> None:
    """Keep other transactions from counting the job's runs until this one ends.

    SQLite has one writer anyway; there, the row lock is nothing.
    """
    # Not the stronger lock: every new run refers to its job's row.
    session.execute(select(Job.id).where(Job.id == job_id).with_for_update(key_share=True))


def grant(session: Session, job_id: str) -> list[str]:
    """Let those begin whose turn it is; return them, first to last, for the caller to start.

    Priority goes before age. A run whose key has no room lets the next pass, as they wait for
    different things.
    """
    lock(session, job_id)
    session.flush()
    limits = _limits(session, job_id)
    going = _going(session, job_id)
    granted = []
    queued = _queued(job_id).with_only_columns(Run.id, Run.concurrency_key)
    for run_id, key in session.execute(queued):
        if _job_is_full(limits, going):
            break
        if _key_is_full(limits, going, key):
            continue
        going[key] += 1
        granted.append(run_id)
    if granted:
        session.execute(
            update(Run).where(Run.id.in_(granted)).values(state=RunState.SCHEDULED),
            execution_options={"synchronize_session": "fetch"},
        )
    return granted


def hand_on(session: Session, run_id: str) -> list[str]:
    """Let those begin whom the end of a run makes room for; return them."""
    job_id = session.scalar(select(Run.job_id).where(Run.id == run_id, Run.limited.is_(True)))
    return grant(session, job_id) if job_id is not None else []


def turn(session: Session, run: Run) -> Turn:
    """Return where a queued run stands, and why it does not begin."""
    limits, going = _limits(session, run.job_id), _going(session, run.job_id)
    waits_for_key = not _job_is_full(limits, going) and _key_is_full(
        limits, going, run.concurrency_key
    )
    ahead = _queued(run.job_id).where(
        tuple_(*_ORDER) < tuple_(run.priority, run.created_at, run.id)
    )
    if waits_for_key:
        ahead = ahead.where(Run.concurrency_key == run.concurrency_key)
    before = session.scalar(select(func.count()).select_from(ahead.order_by(None).subquery())) or 0
    key = run.concurrency_key if waits_for_key else None
    return Turn(before + 1, _reason(limits, key), holders(session, run.job_id, key))


def holders(session: Session, job_id: str, key: str | None, limit: int = 10) -> list[str]:
    """Return runs of the job that go on, of one key if given, oldest first."""
    query = select(Run.id).where(Run.job_id == job_id, Run.state.in_(_GOES_ON))
    if key is not None:
        query = query.where(Run.concurrency_key == key)
    return list(session.scalars(query.order_by(Run.created_at).limit(limit)))


def waiting_jobs(session: Session) -> Sequence[str]:
    """Return the jobs that have queued runs."""
    return session.scalars(select(Run.job_id).where(Run.state == RunState.QUEUED).distinct()).all()


def overdue(session: Session, at: datetime, limit: int = 100) -> Sequence[Run]:
    """Return queued runs that may not wait any longer."""
    query = select(Run).where(Run.state == RunState.QUEUED, Run.queue_deadline < at)
    return session.scalars(query.order_by(Run.queue_deadline).limit(limit)).all()


def leave(session: Session, run: Run, state: str, error: dict[str, Any]) -> bool:
    """End a run that has never begun; return False for one whose turn came in the meantime.

    `started` stays as it is: whoever was to start the run still has to hear of it.
    """
    done = session.execute(
        update(Run)
        .where(Run.id == run.id, Run.state == RunState.QUEUED)
        .values(state=state, error=error, ended_at=datetime.now(UTC), started=run.fired_by is None)
        .returning(Run.id)
    )
    return done.first() is not None


def _limits(session: Session, job_id: str) -> RunLimits:
    """Return the limits of the job's latest version: they hold for runs of older ones too."""
    job = jobs.get(session, job_id)
    return limits_of(jobs.get_version(session, job_id, job.version).document)


def _going(session: Session, job_id: str) -> "Counter[str | None]":
    query = (
        select(Run.concurrency_key, func.count())
        .where(Run.job_id == job_id, Run.state.in_(_GOES_ON))
        .group_by(Run.concurrency_key)
    )
    found: Counter[str | None] = Counter()
    for key, count in session.execute(query):
        found[key] = count
    return found


def _queued(job_id: str) -> "Select[Any]":
    return select(Run).where(Run.job_id == job_id, Run.state == RunState.QUEUED).order_by(*_ORDER)


def _job_is_full(limits: RunLimits, going: "Counter[str | None]") -> bool:
    return limits.runs is not None and going.total() >= limits.runs


def _key_is_full(limits: RunLimits, going: "Counter[str | None]", key: str | None) -> bool:
    return limits.per_key is not None and key is not None and going[key] >= limits.per_key


def _reason(limits: RunLimits, key: str | None) -> str:
    if key is not None:
        return f"{_runs(limits.per_key)} of the key {key!r} may go on at once."
    if limits.runs is not None:
        return f"{_runs(limits.runs)} of the job may go on at once."
    return "Its turn has come."


def _runs(count: int | None) -> str:
    return "One run" if count == 1 else f"{count} runs"
