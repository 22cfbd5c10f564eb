"""Calls of operations as a worker makes them, without Temporal."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from activities.call import Call
from activities.operations import PERFORMERS
from models.messages import RunContext
from models.session import Database
from models.tables.workspaces import Workspace
from racine import registry
from racine.ids import new_id


def nothing(*details: Any) -> None:
    """A heartbeat that nobody hears."""


@dataclass
class World:
    """A workspace and a run in it."""

    call: Call

    def do(self, operation: str, task: str = "task", **given: Any) -> Any:
        """Perform an operation as the task of a run and return its result."""
        declared = registry.operation(operation)
        call = replace(self.call, task_key=task)
        return PERFORMERS[declared](call, declared.input.model_validate(given))

    def attempt(self, number: int, heartbeat: Callable[..., None] = nothing) -> "World":
        return World(replace(self.call, attempt=number, heartbeat=heartbeat))

    def next_run(self) -> "World":
        context = self.call.context.model_copy(update={"run_id": new_id("run")})
        return World(replace(self.call, context=context))


def world(db: Database, workspace_id: str = "ws_1") -> World:
    with db.write() as session:
        session.add(Workspace(id=workspace_id, slug=workspace_id, title=workspace_id))
    context = RunContext(run_id=new_id("run"), workspace_id=workspace_id, actor="usr_1")
    return World(Call(db, context, "task", 1, nothing))


def shop(path: Path, tables: int = 3, rows: int = 50) -> Path:
    """Make a SQLite database of customers, and return its path."""
    with sqlite3.connect(path) as db:
        for n in range(tables):
            db.execute(
                f"CREATE TABLE customers_{n} (id INTEGER PRIMARY KEY, email TEXT, note TEXT)"
            )
            db.executemany(
                f"INSERT INTO customers_{n} VALUES (?, ?, ?)",
                [(r, f"person{r}@example.org", f"note {r}") for r in range(rows)],
            )
    db.close()
    return path
