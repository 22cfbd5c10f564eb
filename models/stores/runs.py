"""Queries over the index of runs and the append-only log of what happened in them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, case, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from models.stores.paging import Page, page
from models.tables.runs import Run as Run
from models.tables.runs import RunEvent as RunEvent
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import NotFound

_APPEND_LOCK = 7253902
EVENTS_CHANNEL = "racine_run_events"
"""Where PostgreSQL tells, once a transaction has committed, in which runs it wrote events."""

BREACH = "breach"
_STARTS = ("started", "waiting")
_ENDS_AND_STARTS = (*_STARTS, "succeeded", "failed", "cancelled", "skipped", "excluded")
"""Kind of the event that tells of a broken rule of a job's health."""

RUN_ENDED = 1_000_000
"""Place of the row that closes a run's log: the interpreter's and the reconciler's are one row."""


def get(session: Session, run_id: str) -> Run:
    """Return the run; raise NotFound."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id!r}.")
    return run


def state_of(session: Session, run_id: str) -> str:
    """Return the state alone, for those who ask often."""
    return session.scalars(select(Run.state).where(Run.id == run_id)).one()


def repair_open(
    session: Session,
    run_id: str,
    entry: dict[str, Any],
    version: int | None,
    parameters: dict[str, Any],
) -> None:
    """Write down that a run was repaired while it went on."""
    run = session.get_one(Run, run_id)
    run.repairs = [*run.repairs, {"number": run.repair, **entry}]
    run.parameters = run.parameters | parameters
    run.job_version = version or run.job_version


def lock(session: Session, run_id: str) -> None:
    """Keep other transactions from changing the run until this one ends."""
    session.execute(select(Run.id).where(Run.id == run_id).with_for_update(key_share=True))


def find_by_workflow(session: Session, workflow_id: str) -> Run | None:
    return session.scalar(select(Run).where(Run.workflow_id == workflow_id))


def find_by_firing(session: Session, fired_by: str) -> Run | None:
    return session.scalar(select(Run).where(Run.fired_by == fired_by))


def find_child(session: Session, run_id: str, task_key: str, try_number: int) -> Run | None:
    """Return the run that a try of a task started."""
    query = select(Run).where(
        Run.parent_run_id == run_id, Run.parent_task_key == task_key, Run.parent_try == try_number
    )
    return session.scalar(query)


def insert(session: Session, **values: Any) -> None:
    session.add(Run(**values))


@dataclass(frozen=True)
class Which:
    """Which of a workspace's runs are meant: all that fit every field that is set."""

    job_id: str | None = None
    states: Collection[str] = ()
    trigger: str | None = None
    parent_run_id: str | None = None
    since: datetime | None = None
    """Made at that moment or later."""
    until: datetime | None = None
    """Made before that moment."""


def listed(
    session: Session, workspace_id: str, which: Which, *, limit: int, cursor: str | None
) -> Page[Run]:
    """Return a workspace's runs, newest first."""
    query = select(Run).where(*_fit(workspace_id, which))
    return page(session, query, Run, limit=limit, cursor=cursor)


def count(session: Session, workspace_id: str, which: Which) -> int:
    """Return how many of a workspace's runs are meant."""
    query = select(func.count()).select_from(Run).where(*_fit(workspace_id, which))
    return session.scalars(query).one()


def _fit(workspace_id: str, which: Which) -> Iterator[ColumnElement[bool]]:
    yield Run.workspace_id == workspace_id
    if which.job_id is not None:
        yield Run.job_id == which.job_id
    if which.states:
        yield Run.state.in_(which.states)
    if which.trigger is not None:
        yield Run.trigger == which.trigger
    if which.parent_run_id is not None:
        yield Run.parent_run_id == which.parent_run_id
    if which.since is not None:
        yield Run.created_at >= which.since
    if which.until is not None:
        yield Run.created_at < which.until


def mark_started(session: Session, begun: Mapping[str, datetime]) -> None:
    """Note since when Temporal has the runs; one that has ended in the meantime stays so."""
    table, at = Run.__table__, bindparam("at", type_=Run.started_at.type)
    fresh, before_end = Run.started.is_(False), case((Run.ended_at < at, Run.ended_at), else_=at)
    statement = (
        update(table)  # type: ignore[arg-type]
        .where(Run.id == bindparam("run"))
        .values(
            started=True,
            started_at=case((fresh, at), else_=func.coalesce(Run.started_at, before_end)),
            state=case((fresh, RunState.RUNNING.value), else_=Run.state),
        )
    )
    # In one order, so that no two transactions wait for each other.
    rows = [{"run": run_id, "at": begun[run_id]} for run_id in sorted(begun)]
    session.execute(statement, rows)


def finish(
    session: Session,
    run_id: str,
    state: str,
    outputs: dict[str, Any],
    error: dict[str, Any] | None,
    *,
    repair: int | None = None,
) -> None:
    """Write how the run ended; the word of an execution that was repaired since counts no more."""
    is_current = [] if repair is None else [Run.repair == repair]
    session.execute(
        update(Run)
        .where(Run.id == run_id, *is_current)
        .values(state=state, outputs=outputs, error=error, ended_at=datetime.now(UTC), started=True)
    )
    # The event that tells of it comes later, with its batch.
    _tell(session, [run_id])


def repair(session: Session, run: Run, entry: dict[str, Any], **changes: Any) -> None:
    """Make an ended run one that is to be started again, as its next execution."""
    run.repair += 1
    run.repairs = [*run.repairs, {"number": run.repair, **entry}]
    run.repaired_at = datetime.now(UTC)
    run.state, run.started, run.ended_at = RunState.SCHEDULED, False, None
    run.outputs, run.error = {}, None
    for name, value in changes.items():
        setattr(run, name, value)
    session.flush()


def change(session: Session, run_id: str, values: dict[str, Any]) -> None:
    """Write down parameters that were changed while the run went on."""
    run = session.get_one(Run, run_id)
    run.parameters = run.parameters | values


def set_state(session: Session, run_id: str, state: str) -> None:
    """Note a state that is not an end; a run that has ended keeps its own."""
    session.execute(
        update(Run).where(Run.id == run_id, Run.state.not_in(FINAL_RUN_STATES)).values(state=state)
    )


def unstarted(session: Session, before: datetime, limit: int = 100) -> Sequence[Run]:
    """Return runs recorded before that moment which Temporal may not have, oldest first.

    Queued ones wait their turn; those of firings are started by these.
    """
    query = select(Run).where(
        Run.started.is_(False),
        func.coalesce(Run.repaired_at, Run.created_at) < before,
        Run.state == RunState.SCHEDULED,
        or_(Run.fired_by.is_(None), Run.repair > 0),
    )
    return session.scalars(query.order_by(Run.created_at).limit(limit)).all()


def fired_unstarted(session: Session, before: datetime, limit: int = 100) -> Sequence[Run]:
    """Return runs of firings, recorded before that moment, that have not been seen to begin."""
    query = select(Run).where(
        Run.started.is_(False),
        Run.created_at < before,
        Run.fired_by.is_not(None),
        Run.repair == 0,
    )
    return session.scalars(query.order_by(Run.created_at).limit(limit)).all()


def mark_told(session: Session, run_id: str) -> None:
    """Note that whoever was to start a run knows that it ended before."""
    session.execute(update(Run).where(Run.id == run_id).values(started=True))


def open_after(session: Session, run_id: str, limit: int) -> Sequence[Run]:
    """Return started runs that have not ended, by id, after the given one."""
    query = select(Run).where(
        Run.started.is_(True), Run.state.not_in(FINAL_RUN_STATES), Run.id > run_id
    )
    return session.scalars(query.order_by(Run.id).limit(limit)).all()


def open_below(session: Session, state: str, limit: int) -> Sequence[Run]:
    """Return runs that have not ended although the run whose task started them ended as that."""
    parent = aliased(Run)
    query = (
        select(Run)
        .join(parent, parent.id == Run.parent_run_id)
        .where(parent.state == state, Run.state.not_in(FINAL_RUN_STATES))
    )
    return session.scalars(query.order_by(Run.id).limit(limit)).all()


def open_among(session: Session, workflow_ids: Sequence[str]) -> Sequence[Run]:
    """Return those of the workflows' runs that the index holds to be open."""
    query = select(Run).where(
        Run.workflow_id.in_(workflow_ids),
        Run.state.not_in(FINAL_RUN_STATES),
        # Of a repair that is not begun, Temporal knows only how the execution before it ended.
        Run.started.is_(True),
    )
    return session.scalars(query).all()


def open_versions(session: Session) -> Sequence[tuple[str, int]]:
    """Return job and version of all runs that have not ended."""
    query = select(Run.job_id, Run.job_version).where(Run.state.not_in(FINAL_RUN_STATES))
    return [(job_id, number) for job_id, number in session.execute(query.distinct())]


def open_of(session: Session, job_id: str, version: int, after: str, limit: int) -> Sequence[Run]:
    """Return the runs of a version that have not ended, by id, after the given one."""
    query = select(Run).where(
        Run.job_id == job_id, Run.job_version == version, Run.id > after,
        Run.state.not_in(FINAL_RUN_STATES),
    )  # fmt: skip
    return session.scalars(query.order_by(Run.id).limit(limit)).all()


def begun_before(session: Session, run_id: str, pattern: str, moment: datetime) -> Sequence[str]:
    """Return the paths, by a LIKE pattern, whose last attempt began before and has not ended."""
    begun = select(RunEvent.task_key, func.max(RunEvent.id).label("last")).where(
        RunEvent.run_id == run_id,
        RunEvent.task_key.like(pattern, escape="\\"),
        RunEvent.kind.in_(_ENDS_AND_STARTS),
    )
    last = begun.group_by(RunEvent.task_key).subquery()
    query = (
        select(RunEvent.task_key)
        .join(last, RunEvent.id == last.c.last)
        .where(RunEvent.kind.in_(_STARTS), RunEvent.at < moment)
    )
    return session.scalars(query.order_by(RunEvent.id)).all()


def add_events(session: Session, events: Sequence[dict[str, Any]]) -> None:
    """Append events; those already written by an earlier try of the same batch stay as they are.

    PostgreSQL gives ids out before it commits, so a reader past id 7 would never see a 6 that
    commits late. One lock for a batch makes the order of ids that of commits, as on SQLite.
    """
    dialect = session.get_bind().dialect.name
    if dialect == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({_APPEND_LOCK})"))
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = [{"attempt": 0, "task_key": "", "body": {}, **event} for event in events]
    session.execute(insert(RunEvent).on_conflict_do_nothing(), rows)
    _tell(session, dict.fromkeys(event["run_id"] for event in events))


def _tell(session: Session, run_ids: Iterable[str]) -> None:
    """Wake who follows these runs, once this transaction is committed."""
    if session.get_bind().dialect.name == "postgresql":
        for run_id in run_ids:
            session.execute(select(func.pg_notify(EVENTS_CHANNEL, run_id)))


def close_log(session: Session, run_id: str, state: str, body: dict[str, Any]) -> None:
    """Append the row that closes a run's log; the interpreter's own, if any, stays."""
    closing = {
        "run_id": run_id, "attempt": session.get_one(Run, run_id).repair,
        "n": RUN_ENDED, "kind": f"run_{state}", "body": body,
    }  # fmt: skip
    add_events(session, [closing])


def events_after(session: Session, run_id: str, last: int, limit: int = 500) -> list[RunEvent]:
    """Return a run's events after that id, in order."""
    found = session.scalars(
        select(RunEvent)
        .where(RunEvent.run_id == run_id, RunEvent.id > last)
        .order_by(RunEvent.id)
        .limit(limit)
    )
    return list(found)


def kept_rows(session: Session, run_id: str, task_key: str) -> str | None:
    """Return the reference of the rows that the latest good attempt of a task has kept."""
    ended = RunEvent.kind == "succeeded"
    found = session.scalars(
        select(RunEvent.body)
        .where(RunEvent.run_id == run_id, RunEvent.task_key == task_key, ended)
        .order_by(RunEvent.id.desc())
        .limit(1)
    ).first()
    return str(found["result"]) if found and "result" in found else None


def breaches(session: Session, run_id: str) -> list[RunEvent]:
    """Return the events that tell of broken rules, in order."""
    found = select(RunEvent).where(RunEvent.run_id == run_id, RunEvent.kind == BREACH)
    return list(session.scalars(found.order_by(RunEvent.id)))


def kept_traceback(session: Session, run_id: str, task_key: str) -> str | None:
    """Return the reference of the latest traceback that an attempt of the task left behind."""
    found = session.scalars(
        select(RunEvent.body)
        .where(RunEvent.run_id == run_id, RunEvent.task_key == task_key, RunEvent.kind == "failed")
        .order_by(RunEvent.id.desc())
        .limit(100)
    )
    return next((str(body["traceback"]) for body in found if body.get("traceback")), None)
