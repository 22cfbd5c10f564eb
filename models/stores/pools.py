"""Queries over pools."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.base import now
from models.tables.pools import Pool as Pool
from models.tables.pools import PoolLease as PoolLease
from racine.definitions.pools import SOURCE_PREFIX
from racine.errors import NotFound
from racine.ids import new_id


def find(session: Session, workspace_id: str, name: str) -> Pool | None:
    return session.scalar(select(Pool).where(Pool.workspace_id == workspace_id, Pool.name == name))


def get(session: Session, workspace_id: str, name: str) -> Pool:
    """Return the pool of that name; raise NotFound."""
    found = find(session, workspace_id, name)
    if found is None:
        raise NotFound(
            f"The workspace has no pool {name!r}.",
            next_step=f"`racine pools set {name} --slots N` makes one.",
        )
    return found


def listed(session: Session, workspace_id: str, *, limit: int, cursor: str | None) -> Page[Pool]:
    """Return a workspace's pools, newest first."""
    query = select(Pool).where(Pool.workspace_id == workspace_id)
    return page(session, query, Pool, limit=limit, cursor=cursor)


def put(session: Session, workspace_id: str, name: str, **values: Any) -> Pool:
    """Make a pool, or give the one of that name other limits."""
    found = find(session, workspace_id, name)
    if found is None:
        found = Pool(id=new_id("pool"), workspace_id=workspace_id, name=name)
        session.add(found)
    for key, value in values.items():
        setattr(found, key, value)
    found.updated_at = now()
    session.flush()
    return found


def delete(session: Session, pool: Pool) -> None:
    session.delete(pool)


def names(session: Session, workspace_id: str) -> set[str]:
    return set(session.scalars(select(Pool.name).where(Pool.workspace_id == workspace_id)))


def limits_sources(session: Session, workspace_id: str) -> bool:
    """Tell whether any source of the workspace has a pool of its own."""
    query = select(Pool.id).where(
        Pool.workspace_id == workspace_id, Pool.name.startswith(SOURCE_PREFIX, autoescape=True)
    )
    return session.scalar(query.limit(1)) is not None


def usage(session: Session, pool_ids: Sequence[str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return how many leases and slots are held and waited for, by pool and state."""
    query = (
        select(PoolLease.pool_id, PoolLease.state, func.count(), func.sum(PoolLease.slots))
        .where(PoolLease.pool_id.in_(pool_ids))
        .group_by(PoolLease.pool_id, PoolLease.state)
    )
    return {(pool, state): (count, slots) for pool, state, count, slots in session.execute(query)}
