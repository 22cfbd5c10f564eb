"""Queries over runs and their events."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.runs import Run, RunEvent
from racine.engine.states import RunState
from racine.errors import NotFound


def get(session: Session, run_id: str) -> Run:
    """Return the run; raise NotFound."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"There is no run {run_id!r}.")
    return run


def insert(session: Session, **values: Any) -> None:
    session.add(Run(**values))


def mark_started(session: Session, run_id: str) -> None:
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.started.is_(False))
        .values(started=True, started_at=datetime.now(UTC), state=RunState.RUNNING)
    )


def finish(
    session: Session, run_id: str, state: str, outputs: dict[str, Any], error: dict[str, Any] | None
) -> None:
    session.execute(
        update(Run)
        .where(Run.id == run_id)
        .values(state=state, outputs=outputs, error=error, ended_at=datetime.now(UTC), started=True)
    )


def add_events(session: Session, events: Sequence[dict[str, Any]]) -> None:
    """Append events; those already written by an earlier try of the same batch stay as they are."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    rows = [{"attempt": 0, "task_key": "", "body": {}, **event} for event in events]
    session.execute(insert(RunEvent).on_conflict_do_nothing(), rows)


def events_after(session: Session, run_id: str, after: int, limit: int = 500) -> list[RunEvent]:
    found = session.scalars(
        select(RunEvent)
        .where(RunEvent.run_id == run_id, RunEvent.id > after)
        .order_by(RunEvent.id)
        .limit(limit)
    )
    return list(found)
