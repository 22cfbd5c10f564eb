"""Attempts of tasks as a worker makes them, in Temporal's own activity environment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.attempts import Attempts
from models.messages import RunContext, TaskCall, TaskOutput
from models.session import Database
from models.stores import pages, sources
from models.tables.workspaces import Workspace
from racine.governance.rbac.decision import SYSTEM_ID
from racine.ids import new_id
from worker import Parts, opened

Serve = Callable[[TaskCall], TaskOutput]


@dataclass(frozen=True)
class Bench:
    """A workspace whose tasks are carried out by one function."""

    attempts: Attempts

    @property
    def db(self) -> Database:
        return self.attempts.db

    def source(self, kind: str, location: str, name: str = "shop") -> str:
        with self.db.write() as session:
            return sources.register(session, "ws_1", name=name, kind=kind, location=location).id

    def carry_out(
        self, serve: Serve, given: dict[str, Any], *, actor: str = SYSTEM_ID, **call: Any
    ) -> TaskOutput:
        """Make one attempt and return what it gave."""
        context = RunContext(run_id=new_id("run"), workspace_id="ws_1", actor=actor)
        task = TaskCall(context=context, task_key="task", input=given, **call)
        output: TaskOutput = ActivityEnvironment().run(serve, task)
        return output

    def refused(self, serve: Serve, given: dict[str, Any], **call: Any) -> ApplicationError:
        """Make one attempt that fails, and return its failure."""
        with pytest.raises(ApplicationError) as caught:
            self.carry_out(serve, given, **call)
        return caught.value

    def items(self, ref: str) -> list[Any]:
        """Return all items of a list in the blob store."""
        with self.db.read() as session:
            found = pages.find(session, "ws_1", ref)
            assert found is not None
            return list(pages.stretch(session, "ws_1", found, 0, found.count))


@contextmanager
def parts(db: Database) -> Iterator[Parts]:
    """Open what activities need, over a folder that is gone afterwards."""
    with TemporaryDirectory() as data, opened(db, Path(data)) as found:
        yield found


@contextmanager
def bench(db: Database) -> Iterator[Bench]:
    with db.write() as session:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
    with parts(db) as found:
        yield Bench(found.attempts)
