"""The activity log: appending links to a workspace's hash chain, and reading them."""

import hashlib
import json
from dataclasses import dataclass
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
_AT_ONCE = 1000
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


@dataclass(frozen=True)
class Verification:
    """What walking a chain from its first row to its newest told."""

    checked: int
    """Rows in order that agree with their seals."""
    bad_number: int | None = None
    """Place of the first row that does not; None for a whole chain."""
    bad_id: str | None = None
    """Its id, None where the row itself is missing."""
    reason: str = ""


def verify(session: Session, chain: str) -> Verification:
    """Compare every row of a chain with its seal, the row before it and the chain's head."""
    # The head first: what is appended meanwhile lies beyond it and is not looked at.
    head = session.get(ChainHead, chain)
    last, newest = (head.number, head.hash) if head else (0, FIRST_HASH)
    columns = Activity.__table__.columns
    wanted = select(*columns).where(Activity.chain == chain).order_by(Activity.number)
    number, previous = 0, FIRST_HASH
    with session.execute(wanted, execution_options={"yield_per": _AT_ONCE}) as rows:
        for row in rows.mappings():
            if head is not None and row["number"] > last:
                break
            if reason := _fault(dict(row), number + 1, previous):
                missing = row["number"] != number + 1
                return Verification(number, number + 1, None if missing else row["id"], reason)
            number, previous = row["number"], row["hash"]
    if number < last:
        return Verification(number, number + 1, None, "The row is missing.")
    if previous != newest:
        return Verification(number, number, None, "The newest row is not the one at the head.")
    return Verification(number)


def _fault(row: dict[str, Any], number: int, previous: str) -> str:
    if row["number"] != number:
        return "The row is missing."
    if row["previous_hash"] != previous:
        return "The row does not follow the one before it."
    return "" if digest(row) == row["hash"] else "The row was changed after it was written."


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
    wanted = (
        select(ChainHead)
        .where(ChainHead.chain == chain)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if (known := session.scalars(wanted).one_or_none()) is not None:
        return known
    dialect = session.get_bind().dialect.name
    upsert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    first = {"chain": chain, "number": 0, "hash": FIRST_HASH}
    session.execute(upsert(ChainHead).values(first).on_conflict_do_nothing())
    return session.scalars(wanted).one()
