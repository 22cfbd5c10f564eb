"""Rows that tasks of runs keep by reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.stores import pages, runs
from racine.errors import NotFound
from services import access, executions
from services.access import Actor


@dataclass(frozen=True)
class Stretch:
    """Some of a task's rows."""

    columns: list[str]
    count: int
    items: Sequence[Any]
    next_start: int | None


def stretch(
    session: Session, actor: Actor, run_id: str, task_key: str, start: int, limit: int
) -> Stretch:
    """Return rows of a task's latest attempt; raise NotFound where it kept none.

    Rows are data of a source: reading them asks for what running a statement asks for.
    """
    run = executions.get(session, actor, run_id)
    access.require(session, actor, "data_sources:run")
    ref = runs.kept_rows(session, run.id, task_key)
    found = pages.find(session, run.workspace_id, ref) if ref else None
    if found is None:
        raise NotFound(
            f"Task {task_key!r} of run {run_id!r} has kept no rows.",
            next_step="Only a sql_task whose last statement gives rows keeps them.",
        )
    items = pages.stretch(session, run.workspace_id, found, start, limit)
    after = start + len(items)
    more = after if items and after < found.count else None
    return Stretch(list(found.head.get("columns", [])), found.count, items, more)
