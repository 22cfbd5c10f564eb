"""The two workers over a migrated SQLite database, on the session's Temporal server."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowHistory, WorkflowQueryFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from models.messages import RepairOrder, RunResult
from models.session import Database
from models.stores import runs
from models.tables.runs import Run
from models.tables.workspaces import Workspace
from models.temporal import worker_runtime
from services import executions, workflows
from services.access import Actor, system
from tests.conftest import Temporal
from tools.temporal.binary import temporal_binary
from tools.temporal.dev_server import SETTINGS
from worker import activity_worker, opened, workflow_worker

T = TypeVar("T")

IMPATIENT = [
    "limit.historyCount.suggestContinueAsNew=60" if "suggestContinueAsNew" in s else s
    for s in SETTINGS
]
"""Settings of a server that suggests to continue as new after 60 events."""


@dataclass
class Stack:
    """A workspace in which jobs can be saved and run."""

    db: Database
    temporal: Temporal
    actor: Actor

    def save(self, document: dict[str, object]) -> str:
        with self.db.write() as session:
            return workflows.create(session, self.actor, document).id

    def start(self, job_id: str, **parameters: object) -> str:
        """Record a run, commit and start it, as the API does; return its id."""
        with self.db.write() as session:
            launch = executions.record(session, self.actor, job_id, parameters)
        self.temporal.run(executions.start(self.temporal.client, launch))
        executions.mark_started(self.db, launch.run_id)
        return launch.run_id

    def result(self, run_id: str) -> RunResult:
        """Wait for the run's workflow to close and return what it says."""
        with self.db.read() as session:
            workflow_id = runs.get(session, run_id).workflow_id
        handle = self.temporal.client.get_workflow_handle(workflow_id, result_type=RunResult)
        result: RunResult = self.temporal.run(handle.result())
        return result

    def histories(self, workflow_id: str) -> list[WorkflowHistory]:
        """Return the histories of a workflow, in order: more than one when it continued as new."""
        found, execution = list[WorkflowHistory](), ""
        while not found or execution:
            handle = self.temporal.client.get_workflow_handle(workflow_id, run_id=execution or None)
            found.append(self.temporal.run(handle.fetch_history()))
            began = found[-1].events[0].workflow_execution_started_event_attributes
            execution = began.continued_execution_run_id
        return found[::-1]

    def wait_for(self, look: Callable[[Session], T | None], seconds: float = 60) -> T:
        """Look into the database until there is what is looked for."""
        deadline = time.monotonic() + seconds
        while True:
            with self.db.read() as session:
                if (found := look(session)) is not None:
                    return found
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.02)

    def outlook(self, run_id: str, *paths: str) -> list[dict[str, str]]:
        """Ask a run that goes on what repairing these tasks alone would run again: what ended."""
        order = RepairOrder(tasks=list(paths), dependents=False)
        with self.db.read() as session:
            workflow_id = runs.get(session, run_id).workflow_id
        handle = self.temporal.client.get_workflow_handle(workflow_id)
        try:
            told = self.temporal.run(handle.query("outlook", order, result_type=dict))
        except WorkflowQueryFailedError:
            return []
        again: list[dict[str, str]] = told["again"]
        return again

    def ended(self, run_id: str, path: str) -> None:
        """Wait until the run itself knows how a task ended: its log hears of it just before."""
        self.wait_for(lambda _: self.outlook(run_id, path) or None)

    def events(self, run_id: str) -> list[tuple[str, str]]:
        """Return task and kind of every event, once the log is closed."""
        deadline = time.monotonic() + 60
        while True:
            with self.db.read() as session:
                events = runs.events_after(session, run_id, 0, limit=10_000)
            found = [(event.task_key, event.kind) for event in events]
            if any(kind.startswith("run_") for _, kind in found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.02)


def workspace(db: Database, temporal: Temporal) -> Stack:
    """Make the workspace of a new database."""
    with db.write() as session:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
    return Stack(db, temporal, system("ws_1"))


@pytest.fixture
def idle_stack(sqlite_db: Database, temporal: Temporal) -> Iterator[Stack]:
    """A workspace without any worker: what is started stays open until the test is over."""
    stack = workspace(sqlite_db, temporal)
    yield stack
    end_open_runs(stack)


def end_open_runs(stack: Stack) -> None:
    """Terminate what is still open: the workers of the next test would take it up, over a database
    that does not know it."""
    with stack.db.read() as session:
        workflow_ids = session.scalars(select(Run.workflow_id)).all()
    stack.temporal.run(_terminate(stack.temporal.client, workflow_ids))


async def _terminate(client: Client, workflow_ids: Sequence[str]) -> None:
    for workflow_id in workflow_ids:
        with suppress(RPCError):
            await client.get_workflow_handle(workflow_id).terminate()


@contextmanager
def run_workers(stack: Stack, folders: Sequence[Path] = ()) -> Iterator[None]:
    """Serve a stack with both workers; `folders` hold the code of python tasks."""
    client, workers = stack.temporal.client, AsyncExitStack()
    with (
        TemporaryDirectory() as data,
        opened(stack.db, Path(data), folders=folders, memory_megabytes=512) as parts,
    ):

        async def enter() -> None:
            await workers.enter_async_context(workflow_worker(client, patient=True))
            await workers.enter_async_context(activity_worker(client, parts))

        stack.temporal.run(enter())
        yield
        stack.temporal.run(workers.aclose())


@pytest.fixture
def stack(idle_stack: Stack) -> Iterator[Stack]:
    """A workspace with both workers."""
    with run_workers(idle_stack):
        yield idle_stack


@pytest.fixture
def impatient(sqlite_db: Database, temporal: Temporal) -> Iterator[Stack]:
    """A stack whose server suggests to continue as new after 60 events."""

    async def start() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal_binary()),
            dev_server_extra_args=IMPATIENT,
            data_converter=pydantic_data_converter,
            runtime=worker_runtime(),
        )

    server = temporal.run(start())
    address = server.client.service_client.config.target_host
    stack = workspace(sqlite_db, Temporal(server.client, address, temporal.loop))
    with run_workers(stack):
        yield stack
    temporal.run(server.shutdown())
