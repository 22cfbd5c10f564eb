"""Queries over requests that must have one effect."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.base import now as now
from models.tables.idempotency import IdempotentRequest as IdempotentRequest
from racine.ids import new_id


def claim(
    session: Session, caller: str, key: str, fingerprint: str, *, lease: timedelta, life: timedelta
) -> tuple[IdempotentRequest, bool]:
    """Return the request of that key, and whether this call may carry it out."""
    session.execute(delete(IdempotentRequest).where(IdempotentRequest.expires_at < now()))
    holder = new_id("try")
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        insert(IdempotentRequest)
        .values(
            id=new_id("idm"), caller=caller, key=key, fingerprint=fingerprint, holder=holder,
            leased_until=now() + lease, expires_at=now() + life,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    found = session.scalars(
        select(IdempotentRequest)
        .where(IdempotentRequest.caller == caller, IdempotentRequest.key == key)
        .with_for_update()
    ).one()
    abandoned = found.state == "open" and found.leased_until < now()
    if abandoned and found.fingerprint == fingerprint:
        found.holder, found.leased_until = holder, now() + lease
    return found, found.holder == holder


def mark_effected(session: Session, request_id: str, holder: str) -> bool:
    """Note in the effect's own transaction that it happened; False when another try took over."""
    changed = session.scalar(
        update(IdempotentRequest)
        .where(
            IdempotentRequest.id == request_id,
            IdempotentRequest.holder == holder,
            IdempotentRequest.state != "answered",
        )
        .values(state="effected")
        .returning(IdempotentRequest.id)
    )
    return changed is not None


def keep_answer(
    session: Session, request_id: str, holder: str, status: int, headers: dict[str, Any],
    body: bytes,
) -> None:  # fmt: skip
    session.execute(
        update(IdempotentRequest)
        .where(IdempotentRequest.id == request_id, IdempotentRequest.holder == holder)
        .values(state="answered", status=status, headers=headers, body=body)
    )


def release(session: Session, request_id: str, holder: str) -> bool:
    """Forget a request that had no effect; False when it had one."""
    gone = session.scalar(
        delete(IdempotentRequest)
        .where(
            IdempotentRequest.id == request_id,
            IdempotentRequest.holder == holder,
            IdempotentRequest.state == "open",
        )
        .returning(IdempotentRequest.id)
    )
    return gone is not None
