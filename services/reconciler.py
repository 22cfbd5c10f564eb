"""Keeps the database and Temporal of one mind: starts what a crash left, gives orders that nobody
answered, and writes into the index how runs ended when they could not do so themselves.

It runs beside the activity worker, in every such process; a lease lets one act at a time. The lease
spares work and is no lock: all it does may be done twice.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from models.session import Database
from models.stores import controls, leases, pool_leases, run_queue, runs
from models.stores.controls import RunControl
from models.stores.runs import Run
from models.temporal import STATE
from racine.engine.states import FINAL_RUN_STATES, RunState
from racine.errors import RacineError
from services import controls as orders
from services import executions
from services.status import Status, ended

_LEASE = "reconciler"
_LEASE_SECONDS = 15.0
_TICK_SECONDS = 2.0
_DESCRIBED = 40
"""Open runs looked at in one tick, in turn; those that visibility names are looked at in any."""
_OVERLAP = timedelta(seconds=30)
"""Visibility is behind by up to seconds: each look goes back so far behind the last."""
_RPC = timedelta(seconds=5)
_YOUNG = 6
"""Graces for which visibility alone is asked about a run: most end before."""
_CLOSED_QUERY = (
    "WorkflowType = 'RacineJob' AND ExecutionStatus != 'Running' AND CloseTime > '{}'"
    f" AND ({STATE} IS NULL OR {STATE} IN ('{RunState.RUNNING}', '{RunState.PAUSED}'))"
)
"""Those that were ended from outside: an interpreter shows the end once the index has it."""

_log = structlog.get_logger("reconciler")


@dataclass
class Reconciler:
    db: Database
    client: Client
    grace: timedelta = timedelta(seconds=5)
    """Age at which a run that is not started, or an order that is not answered, is taken up."""
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    also: Sequence[Callable[[], Awaitable[None]]] = ()
    """Further duties of whoever holds the lease."""

    def __post_init__(self) -> None:
        self._looked_at = ""
        self._closed_since = datetime.now(UTC)

    async def serve(self, stop: asyncio.Event) -> None:
        """Do a round every two seconds until told to stop; then let another process take over."""
        while not stop.is_set():
            await self.round()
            try:
                await asyncio.wait_for(stop.wait(), _TICK_SECONDS)
            except TimeoutError:
                continue
        await asyncio.to_thread(self._release)

    async def round(self) -> bool:
        """Do all duties once when the lease is held; return whether it is."""
        if not await self._dutifully(self._hold):
            return False
        for duty in (self.sweep, self.deliver, self.settle, *self.also):
            await self._dutifully(duty)
        return True

    async def _dutifully(self, duty: Callable[[], Awaitable[bool | None]]) -> bool:
        # A database or server that is away now is asked again in the next round.
        try:
            return bool(await duty())
        except Exception as fault:
            name = getattr(duty, "__name__", type(duty).__name__)
            _log.warning("duty_failed", duty=name, error=type(fault).__name__, reason=str(fault))
            return False

    async def _hold(self) -> bool:
        return await asyncio.to_thread(self._take)

    def _take(self) -> bool:
        with self.db.write() as session:
            return leases.take(session, _LEASE, self.holder, _LEASE_SECONDS)

    def _release(self) -> None:
        with self.db.write() as session:
            leases.release(session, _LEASE, self.holder)

    async def sweep(self) -> None:
        """Start the runs that were recorded and, as far as the index knows, never started."""
        for launch in await asyncio.to_thread(self._unstarted):
            try:
                await executions.start(self.client, launch)
            except RacineError as fault:
                _log.warning("start_failed", run_id=launch.run_id, reason=str(fault))
                continue
            await asyncio.to_thread(executions.mark_started, self.db, launch.run_id)

    def _unstarted(self) -> list[executions.Launch]:
        with self.db.read() as session:
            found = runs.unstarted(session, datetime.now(UTC) - self.grace)
            return [executions.launch(session, run) for run in found]

    async def deliver(self) -> None:
        """Give the orders that no run has answered once more, under their own ids.

        Those to one run go one after the other, as they were made.
        """
        by_run: dict[str, list[RunControl]] = {}
        for order in await asyncio.to_thread(self._waiting):
            by_run.setdefault(order.run_id, []).append(order)
        await asyncio.gather(*map(self._deliver, by_run.values()))

    async def _deliver(self, waiting: list[RunControl]) -> None:
        for order in waiting:
            try:
                if (await orders.deliver(self.db, self.client, order)).state == orders.PENDING:
                    return
            except RacineError as refusal:
                _log.info("order_refused", order=order.id, reason=str(refusal))

    def _waiting(self) -> Sequence[RunControl]:
        with self.db.read() as session:
            before = datetime.now(UTC) - self.grace
            return [order for order in controls.pending(session) if order.created_at < before]

    async def settle(self) -> None:
        """Write the ends of runs that Temporal has closed and the index holds to be open."""
        some = await asyncio.to_thread(self._some_open)
        if not some:
            self._closed_since = datetime.now(UTC)
            return
        began = datetime.now(UTC)
        old = began - _YOUNG * self.grace
        await asyncio.gather(*(self._look(r) for r in some if (r.started_at or r.created_at) < old))
        for execution in await self._closed():
            await self._end(execution)
        self._closed_since = began

    def _some_open(self) -> Sequence[Run]:
        with self.db.read() as session:
            found = runs.open_after(session, self._looked_at, _DESCRIBED)
            if len(found) < _DESCRIBED and self._looked_at:
                found = [*found, *runs.open_after(session, "", _DESCRIBED - len(found))]
        self._looked_at = found[-1].id if found else ""
        return found

    async def _look(self, run: Run) -> None:
        try:
            handle = self.client.get_workflow_handle(run.workflow_id)
            await self._end(await handle.describe(rpc_timeout=_RPC))
        except RPCError as fault:
            if fault.status is not RPCStatusCode.NOT_FOUND:
                raise
            error = {"code": "lost", "message": "Temporal does not know the run any more."}
            await asyncio.to_thread(
                self._write, run.workflow_id, Status(RunState.FAILED, error=error)
            )

    async def _closed(self) -> list[WorkflowExecution]:
        since = (self._closed_since - _OVERLAP).isoformat()
        found = self.client.list_workflows(_CLOSED_QUERY.format(since), rpc_timeout=_RPC)
        executions_by_id = {execution.id: execution async for execution in found}
        still_open = await asyncio.to_thread(self._open_among, list(executions_by_id))
        return [executions_by_id[workflow_id] for workflow_id in still_open]

    def _open_among(self, workflow_ids: list[str]) -> list[str]:
        with self.db.read() as session:
            return [run.workflow_id for run in runs.open_among(session, workflow_ids)]

    async def _end(self, execution: WorkflowExecution) -> None:
        goes_on = (WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.CONTINUED_AS_NEW)
        if execution.status in goes_on:
            return
        status = await ended(self.client, execution)
        await asyncio.to_thread(self._write, execution.id, status)

    def _write(self, workflow_id: str, status: Status) -> None:
        with self.db.write() as session:
            run = runs.find_by_workflow(session, workflow_id)
            if run is None or run.state in FINAL_RUN_STATES:
                return
            runs.finish(session, run.id, status.state, status.outputs, status.error)
            runs.close_log(session, run.id, status.state, status.error or status.outputs)
            # Those whose turn it is now are begun by the next round.
            run_queue.hand_on(session, run.id)
            pool_leases.release_run(session, run.id)
        _log.info("run_settled", run_id=run.id, state=status.state)
