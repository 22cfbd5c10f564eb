"""The activity log: appending links to a workspace's hash chain, and reading them."""

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import event, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.activities import Activity as Activity
from models.tables.activities import ChainHead
from models.tables.base import now
from racine.ids import new_id

TENANT = "tenant"
FIRST_HASH = "0" * 64
_PENDING = "racine_activities"
_SEALED = (
    "id", "created_at", "chain", "number", "actor_id", "actor_name", "action", "object_id",
    "outcome", "before", "after", "request_id", "origin", "previous_hash",
)  # fmt: skip


def append(session: Session, **values: Any) -> None:
    """Have the transaction write one activity row when it commits.

    The row waits until then because its chain's head stays locked from the writing on: taken
    earlier, the lock would order whole requests, and two of them could wait for each other.
    """
    session.info.setdefault(_PENDING, []).append({"before": None, "after": None, **values})


def pending(session: Session) -> int:
    """Return how many rows the transaction will write."""
    return len(session.info.get(_PENDING, ()))


def search(
    session: Session,
    chain: str,
    *,
    actor_id: str | None = None,
    object_id: str | None = None,
    action: str | None = None,
    outcome: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Activity]:
    """Return rows of a chain, newest first; `action` may end in `.*`."""
    query = select(Activity).where(Activity.chain == chain)
    equal = {"actor_id": actor_id, "object_id": object_id, "outcome": outcome}
    for name, wanted in equal.items():
        if wanted is not None:
            query = query.where(getattr(Activity, name) == wanted)
    if action is not None:
        noun = action.removesuffix("*") if action.endswith(".*") else None
        query = query.where(
            Activity.action.startswith(noun, autoescape=True) if noun else Activity.action == action
        )
    if since is not None:
        query = query.where(Activity.created_at >= since)
    if until is not None:
        query = query.where(Activity.created_at < until)
    return page(session, query, Activity, limit=limit, cursor=cursor)


def digest(values: dict[str, Any]) -> str:
    """Return the hash that seals a row: SHA-256 over its canonical JSON, previous hash included."""
    sealed = {name: values[name] for name in _SEALED}
    sealed["created_at"] = sealed["created_at"].isoformat()
    return hashlib.sha256(
        json.dumps(sealed, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    if session.in_nested_transaction():
        return
    waiting: list[dict[str, Any]] = session.info.pop(_PENDING, [])
    # Chains in one order, so that two transactions never hold each other's.
    for chain in sorted({values["chain"] for values in waiting}):
        _extend(session, chain, [values for values in waiting if values["chain"] == chain])


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


def _extend(session: Session, chain: str, links: list[dict[str, Any]]) -> None:
    head = _lock_head(session, chain)
    rows = []
    for values in links:
        head.number += 1
        row = {
            **values, "id": new_id("act"), "created_at": now(), "number": head.number,
            "previous_hash": head.hash,
        }  # fmt: skip
        row["hash"] = head.hash = digest(row)
        rows.append(row)
    session.execute(insert(Activity), rows)


def _lock_head(session: Session, chain: str) -> ChainHead:
    dialect = session.get_bind().dialect.name
    upsert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    first = {"chain": chain, "number": 0, "hash": FIRST_HASH}
    session.execute(upsert(ChainHead).values(first).on_conflict_do_nothing())
    return session.scalars(
        select(ChainHead)
        .where(ChainHead.chain == chain)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
