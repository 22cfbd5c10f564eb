"""Runs that a workflow around them starts: a schedule's firing records them and runs them.

Such a run is begun by its firing alone; whatever became of it, both must come to know.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.session import Database
from models.stores import run_queue, runs
from models.stores.runs import Run
from racine.engine.states import FINAL_RUN_STATES, RunState
from services import executions, turns

_RPC = timedelta(seconds=5)
_ENDS = {WorkflowExecutionStatus.CANCELED: RunState.CANCELLED}


@dataclass(frozen=True)
class Duty:
    """The reconciler's part: finds out what became of the runs of firings, and tells these."""

    db: Database
    client: Client
    grace: timedelta = timedelta(seconds=5)

    async def __call__(self) -> None:
        for run in await asyncio.to_thread(self._unsettled):
            if run.state in FINAL_RUN_STATES:
                await turns.tell(self.client, run)
                await asyncio.to_thread(self._mark_told, run)
            elif run.state == RunState.QUEUED:
                await self._end_with_firing(run)
            else:
                await self._attach(run)

    def _unsettled(self) -> Sequence[Run]:
        with self.db.read() as session:
            return runs.fired_unstarted(session, datetime.now(UTC) - self.grace)

    async def _attach(self, run: Run) -> None:
        if await self._is_there(run.workflow_id):
            await asyncio.to_thread(executions.mark_started, self.db, run.id)
        elif not await self._end_with_firing(run):
            # A firing that waits for the run's turn may have missed it; any other pays no heed.
            await turns.tell(self.client, run)

    async def _is_there(self, workflow_id: str) -> bool:
        try:
            await self.client.get_workflow_handle(workflow_id).describe(rpc_timeout=_RPC)
        except RPCError as fault:
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise
            return False
        return True

    async def _end_with_firing(self, run: Run) -> bool:
        """End a run whose firing was ended before it could begin; tell whether it was."""
        firing = await turns.firing(self.client, run).describe(rpc_timeout=_RPC)
        if firing.status is WorkflowExecutionStatus.RUNNING:
            return False
        end = _ENDS.get(firing.status, RunState.TERMINATED) if firing.status else RunState.FAILED
        await asyncio.to_thread(self._end, run, end)
        return True

    def _end(self, run: Run, end: RunState) -> None:
        error = {"code": "not_started", "message": "Its firing was ended before it began."}
        with self.db.write() as session:
            if not run_queue.leave(session, run, end, error):
                runs.finish(session, run.id, end, {}, error)
            runs.close_log(session, run.id, end, error)
            run_queue.hand_on(session, run.id)

    def _mark_told(self, run: Run) -> None:
        with self.db.write() as session:
            runs.mark_told(session, run.id)
