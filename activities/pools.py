"""Takes and gives back slots of pools, and hands freed ones to whom they are due."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session
from temporalio import activity

from activities.events import EventSink
from activities.faults import as_failure
from activities.names import ACQUIRE, RELEASE
from activities.naming import named
from models.messages import AcquireCall, Acquired, Lease, ReleaseCall
from models.session import Database
from models.stores import pool_leases, pools, runs, scans, sources
from models.stores.pool_leases import HELD, Claim, Granted
from models.stores.pools import Pool, PoolLease
from racine import expressions
from racine.definitions.pools import of_source
from racine.engine.states import ATTEMPTS_PER_TRY
from racine.errors import RacineError

_QUEUED = 50
"""Place of a wait among a try's events, after those of the interpreter."""

Tell = Callable[[Sequence[Granted]], None]
"""Tells executions of the leases they hold now, without waiting for it."""


class PoolActivities:
    def __init__(self, db: Database, sink: EventSink, tell: Tell) -> None:
        self._db, self._sink, self._tell = db, sink, tell

    @activity.defn(name=ACQUIRE)
    def acquire(self, call: AcquireCall) -> Acquired:
        """Take slots, or line up for them; the same try asks once however often it calls."""
        try:
            with self._db.write() as session:
                pool = _pool(session, call)
                if pool is None:
                    return Acquired()
                lease, granted = pool_leases.acquire(session, pool, _claim(session, call))
                held = lease.state == HELD
                if held:
                    pool_leases.mark_told(session, [lease.id])
                else:
                    self._note(session, call, pool, lease)
        except RacineError as fault:
            raise as_failure(fault) from fault
        self._tell(granted)
        return Acquired(lease=Lease(lease_id=lease.id, starts_at=lease.starts_at if held else None))

    @activity.defn(name=RELEASE)
    def release(self, call: ReleaseCall) -> None:
        """Give back what a try holds or waits for."""
        with self._db.write() as session:
            granted = pool_leases.release(
                session, call.context.run_id, call.task_key, call.try_number
            )
        self._tell(granted)

    def _note(self, session: Session, call: AcquireCall, pool: Pool, lease: PoolLease) -> None:
        place = pool_leases.position(session, lease)
        self._sink.put(
            run_id=call.context.run_id,
            task_key=call.task_key,
            attempt=(call.try_number - 1) * ATTEMPTS_PER_TRY,
            n=_QUEUED,
            kind="queued",
            body={"pool": pool.name, "slots": lease.slots, "position": place},
        )


def _pool(session: Session, call: AcquireCall) -> Pool | None:
    workspace_id = call.context.workspace_id
    if call.pool is not None:
        return pools.get(session, workspace_id, call.pool)
    source_id = _source(session, call)
    return pools.find(session, workspace_id, of_source(source_id)) if source_id else None


def _source(session: Session, call: AcquireCall) -> str | None:
    given = call.input
    if call.names is not None:
        given = expressions.resolve(given, named(session, call.context.workspace_id, call.names))
    if (source_id := given.get("source_id")) is not None:
        return str(source_id)
    if (scan_id := given.get("scan_id")) is not None:
        return scans.get(session, str(scan_id), workspace_id=call.context.workspace_id).source_id
    if (name := given.get("source")) is not None:
        found = sources.named(session, call.context.workspace_id, str(name))
        return found.id if found else str(name)
    return None


def _claim(session: Session, call: AcquireCall) -> Claim:
    return Claim(
        run_id=call.context.run_id,
        job_id=runs.get(session, call.context.run_id).job_id,
        workflow_id=activity.info().workflow_id or "",
        task_key=call.task_key,
        try_number=call.try_number,
        slots=call.slots,
        priority=call.priority,
    )
