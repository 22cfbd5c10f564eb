"""Begins the runs whose turn has come: what the end of one run does for the next.

Whoever ends a run grants the next its turn in the same transaction, then has it begun here. What a
crash leaves in between, the reconciler begins.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from models.session import Database
from models.stores import run_queue, runs
from models.stores.runs import Run
from racine.engine.states import RunState
from racine.errors import RacineError
from services import executions
from services.outages import outage

_RPC = timedelta(seconds=5)
_log = structlog.get_logger("turns")


class Starter:
    """Starts recorded runs from any thread, on the loop of the Temporal client."""

    def __init__(self, db: Database, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        self._db, self._client, self._loop = db, client, loop

    def __call__(self, run_ids: Sequence[str]) -> None:
        """Begin the runs, without waiting for it."""
        if run_ids:
            asyncio.run_coroutine_threadsafe(begin(self._db, self._client, run_ids), self._loop)

    def cancel(self, workflow_id: str) -> None:
        """Have Temporal show a workflow as cancelled; one that cannot be told stays as it is."""
        handle = self._client.get_workflow_handle(workflow_id)
        asking = asyncio.run_coroutine_threadsafe(handle.cancel(rpc_timeout=_RPC), self._loop)
        with suppress(RPCError):
            asking.result(_RPC.total_seconds() + 1)


async def begin(db: Database, client: Client, run_ids: Sequence[str]) -> None:
    """Begin runs whose turn has come; one that cannot begin now is left to the reconciler."""
    for run_id in run_ids:
        try:
            run, launch = await asyncio.to_thread(_read, db, run_id)
            if run.fired_by is not None and not run.repair:
                await tell(client, run)
            else:
                await executions.start(client, launch)
                await asyncio.to_thread(executions.mark_started, db, run_id)
        except RacineError as fault:
            _log.warning("start_failed", run_id=run_id, reason=str(fault))


async def tell(client: Client, run: Run) -> None:
    """Tell the firing that waits for a queued run's turn what became of it.

    Raises Unavailable when Temporal does not answer. A firing that is over needs no telling.
    """
    try:
        handle = firing(client, run)
        await handle.signal("turn", run.state, rpc_timeout=_RPC)
    except RPCError as fault:
        if fault.status is not RPCStatusCode.NOT_FOUND:
            raise outage(fault) from fault


def firing(client: Client, run: Run) -> WorkflowHandle[Any, Any]:
    """Return the handle of the firing that starts a run."""
    workflow_id, _, execution = (run.fired_by or "").rpartition("/")
    if not workflow_id:
        return client.get_workflow_handle(execution)
    return client.get_workflow_handle(workflow_id, run_id=execution)


class Duty:
    """The reconciler's part: turns that nobody handed on, and waits that took too long."""

    def __init__(self, db: Database, client: Client) -> None:
        self._db, self._client = db, client

    async def __call__(self) -> None:
        await asyncio.to_thread(self._expire)
        await begin(self._db, self._client, await asyncio.to_thread(self._grant))

    def _expire(self) -> None:
        with self._db.write() as session:
            for run in run_queue.overdue(session, datetime.now(UTC)):
                error = {"code": "queue_timeout", "message": _too_long(session, run)}
                if run_queue.leave(session, run, RunState.TIMED_OUT, error):
                    runs.close_log(session, run.id, RunState.TIMED_OUT, error)

    def _grant(self) -> list[str]:
        with self._db.read() as session:
            waiting = run_queue.waiting_jobs(session)
        granted = []
        for job_id in waiting:
            with self._db.write() as session:
                granted += run_queue.grant(session, job_id)
        return granted


def _too_long(session: Session, run: Run) -> str:
    waited = (datetime.now(UTC) - run.created_at).total_seconds()
    return f"It waited {waited:.0f} s for its turn: {run_queue.turn(session, run).reason}"


def _read(db: Database, run_id: str) -> tuple[Run, executions.Launch]:
    with db.read() as session:
        run = runs.get(session, run_id)
        return run, executions.launch(session, run)
