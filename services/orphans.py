"""Ends the runs whose caller was terminated: nobody waits for them any more."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.session import Database
from models.stores import jobs, pool_leases, run_queue, runs
from models.stores.runs import Run
from racine.definitions.document import JobDocument
from racine.definitions.every_task import every_task
from racine.engine.states import FINAL_RUN_STATES, RunState

_AT_ONCE = 100
_RPC = timedelta(seconds=5)

_log = structlog.get_logger("orphans")


class Duty:
    """What whoever holds the reconciler's lease does about runs that a terminated run waited for.

    Terminating leaves a run no moment to end what it started, and Temporal's own way of closing
    children would also close them where their parent only continues as new.
    """

    def __init__(self, db: Database, client: Client) -> None:
        self._db = db
        self._client = client

    async def __call__(self) -> None:
        for run in await asyncio.to_thread(self._found):
            await self._end(run)

    def _found(self) -> list[Run]:
        with self._db.read() as session:
            found = runs.open_below(session, RunState.TERMINATED, _AT_ONCE)
            return [run for run in found if _is_waited_for(session, run)]

    async def _end(self, run: Run) -> None:
        message = f"The run {run.parent_run_id}, whose task waited for it, was terminated."
        handle = self._client.get_workflow_handle(run.workflow_id)
        try:
            await handle.terminate(reason=message, rpc_timeout=_RPC)
        except RPCError as fault:
            # It is not begun, or has ended: then the index alone has to be told.
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise
            if run.started:
                return
        await asyncio.to_thread(self._write, run.id, message)

    def _write(self, run_id: str, message: str) -> None:
        error = {"code": "parent_terminated", "message": message}
        with self._db.write() as session:
            if runs.get(session, run_id).state in FINAL_RUN_STATES:
                return
            runs.finish(session, run_id, RunState.TERMINATED, {}, error)
            runs.close_log(session, run_id, RunState.TERMINATED, error)
            run_queue.hand_on(session, run_id)
            pool_leases.release_run(session, run_id)
        _log.info("orphan_ended", run_id=run_id)


def _is_waited_for(session: Session, run: Run) -> bool:
    """Tell whether the task that started a run waits for it; one let go lives on."""
    parent = runs.get(session, run.parent_run_id or "")
    version = jobs.get_version(session, parent.job_id, parent.job_version)
    key = (run.parent_task_key or "").rpartition(".")[2]
    tasks = (found.task for found in every_task(JobDocument.model_validate(version.document)))
    calls = [task.run_job_task for task in tasks if task.task_key == key]
    return any(call is not None and call.wait for call in calls)
