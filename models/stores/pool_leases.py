"""Who holds slots of a pool, who waits, and whose turn comes next.

Priority goes before turn before age, and nobody passes the first in line: so a large request gets
its slots as others end, however many small ones follow it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from models.tables.pools import Pool as Pool
from models.tables.pools import PoolLease as PoolLease
from racine.errors import InvalidInput
from racine.ids import new_id

WAITING, HELD = "waiting", "held"

_HORIZON = timedelta(seconds=5)
"""How far ahead tokens are given away: what is granted keeps its place whoever comes after."""
_LOOKED_AT = 200
_ORDER: Any = (PoolLease.priority, PoolLease.turn, PoolLease.created_at, PoolLease.id)


@dataclass(frozen=True)
class Claim:
    """Who asks for slots: one try of one task, in one execution."""

    run_id: str
    job_id: str
    workflow_id: str
    task_key: str
    try_number: int
    slots: int = 1
    priority: int = 3


@dataclass(frozen=True)
class Granted:
    """A lease whose execution waits to be told."""

    lease_id: str
    workflow_id: str
    starts_at: datetime


def acquire(session: Session, pool: Pool, claim: Claim) -> tuple[PoolLease, list[Granted]]:
    """Ask for slots, once however often it is asked; the lease is held or waits.

    Returns also the leases of others that were granted on the way. Raises InvalidInput when the
    pool is smaller than the request: it would wait for ever.
    """
    _lock(session, pool)
    found = _find(session, pool, claim)
    if found is None:
        if pool.slots is not None and claim.slots > pool.slots:
            raise InvalidInput(
                f"Task {claim.task_key!r} asks for {claim.slots} slots of the pool {pool.name!r}, "
                f"which has {pool.slots}.",
                next_step=f"`racine pools set {pool.name} --slots {claim.slots}`, or ask for less.",
            )
        turn = _turn(session, pool, claim.job_id)
        found = PoolLease(
            id=new_id("lease"), pool_id=pool.id, turn=turn, state=WAITING, told=False, **vars(claim)
        )
        session.add(found)
        session.flush()
    granted = grant(session, pool)
    session.refresh(found)
    return found, [lease for lease in granted if lease.lease_id != found.id]


def grant(session: Session, pool: Pool) -> list[Granted]:
    """Give the free slots and tokens of a pool to those whose turn it is."""
    _lock(session, pool)
    now = datetime.now(UTC)
    free = None if pool.slots is None else pool.slots - _held(session, pool)
    granted = []
    for lease in session.scalars(_waiting(pool.id).limit(_LOOKED_AT)):
        if pool.slots is not None and lease.slots > pool.slots:
            continue  # The pool shrank: what no longer fits must not stop the others.
        if free is not None and lease.slots > free:
            break
        starts_at = _token(pool, now)
        if starts_at - now > _HORIZON:
            break
        _take_token(pool, now)
        lease.state, lease.starts_at = HELD, starts_at
        pool.turn = max(pool.turn, lease.turn)
        free = None if free is None else free - lease.slots
        granted.append(Granted(lease.id, lease.workflow_id, starts_at))
    session.flush()
    return granted


def grant_by_id(session: Session, pool_id: str) -> list[Granted]:
    """Do the same for the pool of that id; one that is gone gives nothing."""
    pool = session.get(Pool, pool_id)
    return grant(session, pool) if pool is not None else []


def release(session: Session, run_id: str, task_key: str, try_number: int) -> list[Granted]:
    """Give back all that one try of a task holds or waits for; return whose turn came thereby."""
    return _drop(
        session,
        PoolLease.run_id == run_id,
        PoolLease.task_key == task_key,
        PoolLease.try_number == try_number,
    )


def release_run(session: Session, run_id: str) -> list[Granted]:
    """Give back all that a run holds or waits for."""
    return _drop(session, PoolLease.run_id == run_id)


def release_execution(session: Session, workflow_id: str) -> list[Granted]:
    """Give back all that an execution holds which is no more."""
    return _drop(session, PoolLease.workflow_id == workflow_id)


def mark_told(session: Session, lease_ids: Sequence[str]) -> None:
    """Note that the executions know of their leases."""
    session.execute(update(PoolLease).where(PoolLease.id.in_(lease_ids)).values(told=True))


def untold(session: Session, limit: int = 200) -> list[Granted]:
    """Return granted leases whose executions may not know of it."""
    query = select(PoolLease).where(PoolLease.state == HELD, PoolLease.told.is_(False))
    return [
        Granted(lease.id, lease.workflow_id, lease.starts_at or lease.created_at)
        for lease in session.scalars(query.limit(limit))
    ]


def contended(session: Session) -> Sequence[str]:
    """Return the ids of the pools that somebody waits for."""
    waiting = select(PoolLease.pool_id).where(PoolLease.state == WAITING)
    return session.scalars(waiting.distinct().order_by(PoolLease.pool_id)).all()


def executions_after(session: Session, workflow_id: str, limit: int) -> Sequence[str]:
    """Return executions that hold or wait, by id, after the given one."""
    query = select(PoolLease.workflow_id).where(PoolLease.workflow_id > workflow_id).distinct()
    return session.scalars(query.order_by(PoolLease.workflow_id).limit(limit)).all()


def of_run(session: Session, run_id: str) -> Sequence[tuple[PoolLease, Pool]]:
    """Return what a run holds and waits for."""
    query = select(PoolLease, Pool).join(Pool, Pool.id == PoolLease.pool_id)
    found = session.execute(query.where(PoolLease.run_id == run_id))
    return [(lease, pool) for lease, pool in found]


def in_line(session: Session, pool_id: str, state: str, limit: int) -> Sequence[PoolLease]:
    """Return the leases of a pool in that state, in the order of their turns."""
    query = select(PoolLease).where(PoolLease.pool_id == pool_id, PoolLease.state == state)
    return session.scalars(query.order_by(*_ORDER).limit(limit)).all()


def position(session: Session, lease: PoolLease) -> int:
    """Return a waiting lease's place in its line, from 1."""
    own = tuple_(lease.priority, lease.turn, lease.created_at, lease.id)
    ahead = select(func.count()).where(
        PoolLease.pool_id == lease.pool_id, PoolLease.state == WAITING, tuple_(*_ORDER) < own
    )
    return (session.scalar(ahead) or 0) + 1


def _drop(session: Session, *which: Any) -> list[Granted]:
    pool_ids = session.scalars(select(PoolLease.pool_id).where(*which).distinct()).all()
    if not pool_ids:
        return []
    # In one order, and before the rows: two that end together must not wait for each other.
    pools = session.scalars(select(Pool).where(Pool.id.in_(pool_ids)).order_by(Pool.id)).all()
    for pool in pools:
        _lock(session, pool)
    session.execute(delete(PoolLease).where(*which))
    return [granted for pool in pools for granted in grant(session, pool)]


def _lock(session: Session, pool: Pool) -> None:
    session.refresh(pool, with_for_update={"key_share": True})


def _find(session: Session, pool: Pool, claim: Claim) -> PoolLease | None:
    return session.scalar(
        select(PoolLease).where(
            PoolLease.pool_id == pool.id,
            PoolLease.run_id == claim.run_id,
            PoolLease.task_key == claim.task_key,
            PoolLease.try_number == claim.try_number,
        )
    )


def _turn(session: Session, pool: Pool, job_id: str) -> int:
    query = select(func.max(PoolLease.turn)).where(
        PoolLease.pool_id == pool.id, PoolLease.job_id == job_id
    )
    last = session.scalar(query)
    return pool.turn if last is None else max(pool.turn, last + 1)


def _held(session: Session, pool: Pool) -> int:
    query = select(func.sum(PoolLease.slots)).where(
        PoolLease.pool_id == pool.id, PoolLease.state == HELD
    )
    return session.scalar(query) or 0


def _waiting(pool_id: str) -> "Select[PoolLease]":
    query = select(PoolLease).where(PoolLease.pool_id == pool_id, PoolLease.state == WAITING)
    return query.order_by(*_ORDER)


def _token(pool: Pool, now: datetime) -> datetime:
    """Return when the next lease may begin (generic cell rate algorithm).

    A second's tokens may be saved up, one at least.
    """
    if pool.tokens_per_second is None or pool.next_token_at is None:
        return now
    saved = max(1.0, pool.tokens_per_second) - 1
    return max(now, pool.next_token_at - timedelta(seconds=saved / pool.tokens_per_second))


def _take_token(pool: Pool, now: datetime) -> None:
    if pool.tokens_per_second is not None:
        after = max(now, pool.next_token_at or now)
        pool.next_token_at = after + timedelta(seconds=1 / pool.tokens_per_second)
