"""Pools of a workspace: how much of something its tasks may use at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.stores import pool_leases, pools, sources
from models.stores.paging import Page
from models.stores.pool_leases import HELD, WAITING
from models.stores.pools import Pool as Pool
from models.stores.pools import PoolLease as PoolLease
from racine.definitions.document import JobDocument
from racine.definitions.pools import SOURCE_PREFIX, pool_uses
from racine.errors import Conflict, Fault, InvalidInput
from services import access, audit
from services.access import Actor

_SHOWN = 100


@dataclass(frozen=True)
class Usage:
    """A pool, how much of it is in use, and how many wait."""

    pool: Pool
    held_slots: int = 0
    held: int = 0
    waiting: int = 0


def listed(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> Page[Pool]:
    """Return the workspace's pools, newest first; `usages` tells how they are used."""
    access.require(session, actor, "orchestration:read")
    return pools.listed(session, actor.workspace_id, limit=limit, cursor=cursor)


def usages(session: Session, found: Sequence[Pool]) -> list[Usage]:
    """Return how pools are used that the caller has asked for before."""
    counts = pools.usage(session, [pool.id for pool in found])

    def of(pool: Pool) -> Usage:
        held, slots = counts.get((pool.id, HELD), (0, 0))
        waiting, _ = counts.get((pool.id, WAITING), (0, 0))
        return Usage(pool, slots, held, waiting)

    return [of(pool) for pool in found]


def get(session: Session, actor: Actor, name: str) -> Pool:
    """Return the pool of that name; raise NotFound."""
    access.require(session, actor, "orchestration:read")
    return pools.get(session, actor.workspace_id, name)


def holders(session: Session, pool: Pool) -> Sequence[PoolLease]:
    """Return who holds slots of a pool, a hundred at most."""
    return pool_leases.in_line(session, pool.id, HELD, _SHOWN)


def line(session: Session, pool: Pool) -> Sequence[PoolLease]:
    """Return who waits for a pool, in the order of their turns, a hundred at most."""
    return pool_leases.in_line(session, pool.id, WAITING, _SHOWN)


def put(session: Session, actor: Actor, name: str, **limits: Any) -> Pool:
    """Make a pool or change its limits; raises NotFound for a source that there is not.

    Who holds more than a smaller pool gives keeps it to the end of its tasks.
    """
    access.require(session, actor, "orchestration:write")
    if limits["slots"] is None and limits["tokens_per_second"] is None:
        fault = Fault("/slots", "A pool limits slots, tokens per second, or both.", code="required")
        raise InvalidInput("The pool limits nothing.", faults=[fault])
    if name.startswith(SOURCE_PREFIX):
        source_id = name.removeprefix(SOURCE_PREFIX)
        sources.get(session, source_id, workspace_id=actor.workspace_id)
    before = pools.find(session, actor.workspace_id, name)
    was = _summary(before) if before else None
    made = pools.put(session, actor.workspace_id, name, **limits)
    audit.record(session, actor, "pool.put", made.id, before=was, after=_summary(made))
    # What a larger pool has room for begins at once; the reconciler tells whose turn has come.
    pool_leases.grant(session, made)
    return made


def delete(session: Session, actor: Actor, name: str) -> None:
    """Delete a pool that nobody waits for; tasks that name it fail from now on."""
    access.require(session, actor, "orchestration:write")
    found = get(session, actor, name)
    waiting = pool_leases.in_line(session, found.id, WAITING, 1)
    if waiting:
        raise Conflict(
            f"Tasks wait for the pool {name!r}, as {waiting[0].task_key!r} of {waiting[0].run_id}.",
            next_step="Give it more slots, or cancel what waits.",
        )
    audit.record(session, actor, "pool.delete", found.id, before=_summary(found))
    pools.delete(session, found)


def use_faults(session: Session, workspace_id: str, document: JobDocument) -> Iterator[Fault]:
    """Yield where a job names a pool that the workspace does not have, or asks for too much."""
    for use in pool_uses(document):
        found = pools.find(session, workspace_id, use.pool)
        if found is None:
            yield Fault(f"{use.pointer}/pool", f"The workspace has no pool {use.pool!r}.",
                        f"`racine pools set {use.pool} --slots N` makes one.",
                        "unknown_pool")  # fmt: skip
        elif found.slots is not None and use.slots > found.slots:
            yield Fault(f"{use.pointer}/pool_slots",
                        f"The pool {use.pool!r} has {found.slots} slots, not {use.slots}.",
                        "Ask for fewer, or enlarge the pool.", "pool_too_small")  # fmt: skip


def _summary(pool: Pool) -> dict[str, Any]:
    fields = ("name", "slots", "tokens_per_second", "description")
    return {field: getattr(pool, field) for field in fields}
