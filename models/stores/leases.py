"""Takes and renews leases."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.leases import Lease


def take(session: Session, name: str, holder: str, seconds: float) -> bool:
    """Take the lease when it is free, expired or the holder's own; return whether it is held now.

    The row's own lock decides between two takers, so both engines let exactly one through.
    """
    at = datetime.now(UTC)
    expires = at + timedelta(seconds=seconds)
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    row = {"name": name, "holder": holder, "expires_at": expires}
    session.execute(insert(Lease).values(row).on_conflict_do_nothing())
    taken = session.execute(
        update(Lease)
        .where(Lease.name == name, or_(Lease.holder == holder, Lease.expires_at < at))
        .values(holder=holder, expires_at=expires)
        .returning(Lease.name)
    )
    return taken.first() is not None


def release(session: Session, name: str, holder: str) -> None:
    """Let another process take the lease at once."""
    session.execute(
        update(Lease)
        .where(Lease.name == name, Lease.holder == holder)
        .values(expires_at=datetime.fromtimestamp(0, UTC))
    )
