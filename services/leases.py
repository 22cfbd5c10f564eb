"""Leases on pools outside their executions: told to whom they are granted, taken from the dead.

The transaction that frees slots grants them to the next in line; this tells those. What a crash
leaves untold, and what an execution that was killed still holds, the reconciler finds.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.names import GRANTED
from models.messages import Lease
from models.session import Database
from models.stores import pool_leases
from models.stores.pool_leases import Granted

_RPC = timedelta(seconds=5)
_DESCRIBED = 40
"""Executions looked at in one round, in turn."""
_log = structlog.get_logger("leases")


class Teller:
    """Tells executions of their leases from any thread, on the loop of the Temporal client."""

    def __init__(self, db: Database, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        self._db, self._client, self._loop = db, client, loop

    def __call__(self, granted: Sequence[Granted]) -> None:
        """Tell them, without waiting for it."""
        if granted:
            asyncio.run_coroutine_threadsafe(tell(self._db, self._client, granted), self._loop)


async def tell(db: Database, client: Client, granted: Sequence[Granted]) -> None:
    """Tell executions what they hold; what a dead one was granted goes to the next in line."""
    left = list(granted)
    while left:
        lease = left.pop()
        try:
            handle = client.get_workflow_handle(lease.workflow_id)
            given = Lease(lease_id=lease.lease_id, starts_at=lease.starts_at)
            await handle.signal(GRANTED, given, rpc_timeout=_RPC)
        except RPCError as fault:
            if fault.status is RPCStatusCode.NOT_FOUND:
                left += await asyncio.to_thread(_release, db, lease.workflow_id)
            else:
                _log.warning("lease_not_told", lease=lease.lease_id, reason=fault.message)
        else:
            await asyncio.to_thread(_mark_told, db, lease)


class Duty:
    """The reconciler's part: no slot stays with the dead, and no grant stays unheard."""

    def __init__(self, db: Database, client: Client) -> None:
        self._db, self._client = db, client
        self._looked_at = ""

    async def __call__(self) -> None:
        for workflow_id in await asyncio.to_thread(self._some):
            if not await self._goes_on(workflow_id):
                await asyncio.to_thread(_release, self._db, workflow_id)
                _log.warning("lease_of_the_dead_released", workflow_id=workflow_id)
        await tell(self._db, self._client, await asyncio.to_thread(self._owed))

    def _some(self) -> Sequence[str]:
        with self._db.read() as session:
            found = pool_leases.executions_after(session, self._looked_at, _DESCRIBED)
        self._looked_at = found[-1] if len(found) == _DESCRIBED else ""
        return found

    async def _goes_on(self, workflow_id: str) -> bool:
        try:
            handle = self._client.get_workflow_handle(workflow_id)
            found = await handle.describe(rpc_timeout=_RPC)
        except RPCError as fault:
            if fault.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return found.status is WorkflowExecutionStatus.RUNNING

    def _owed(self) -> list[Granted]:
        with self._db.read() as session:
            contended = pool_leases.contended(session)
        for pool_id in contended:
            with self._db.write() as session:
                pool_leases.grant_by_id(session, pool_id)
        with self._db.read() as session:
            return pool_leases.untold(session)


def _release(db: Database, workflow_id: str) -> list[Granted]:
    with db.write() as session:
        return pool_leases.release_execution(session, workflow_id)


def _mark_told(db: Database, lease: Granted) -> None:
    with db.write() as session:
        pool_leases.mark_told(session, [lease.lease_id])
