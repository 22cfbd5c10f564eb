"""Queries over sign-ins, their refresh tokens, and failed tries."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.access import RefreshToken, SignIn, SignInFailures, User
from models.tables.base import now
from racine.ids import new_id


def start(
    session: Session, user_id: str, *, origin: str, workspace_id: str | None, life: timedelta
) -> SignIn:
    found = SignIn(
        id=new_id("sgn"),
        user_id=user_id,
        origin=origin,
        workspace_id=workspace_id,
        expires_at=now() + life,
    )
    session.add(found)
    session.flush()
    return found


def current(session: Session, sign_in_id: str) -> tuple[SignIn, User] | None:
    """Return the sign-in and its user while both are good."""
    row = session.execute(
        select(SignIn, User)
        .join(User, User.id == SignIn.user_id)
        .where(
            SignIn.id == sign_in_id,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now(),
            User.state == "active",
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def end(session: Session, sign_in_id: str) -> None:
    session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
        .values(ended_at=now())
    )


def end_all(session: Session, user_id: str, *, but: str | None = None) -> None:
    """End every sign-in of a user, but one that may be named."""
    session.execute(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.ended_at.is_(None), SignIn.id != (but or ""))
        .values(ended_at=now())
    )


def switch(session: Session, sign_in_id: str, workspace_id: str) -> None:
    session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(workspace_id=workspace_id))


def add_refresh_token(session: Session, sign_in_id: str, secret_hash: str) -> None:
    session.add(RefreshToken(id=new_id("rft"), sign_in_id=sign_in_id, secret_hash=secret_hash))


def use_refresh_token(session: Session, secret_hash: str) -> tuple[str, bool] | None:
    """Mark the token used; return its sign-in and whether this was its first use."""
    first = session.scalar(
        update(RefreshToken)
        .where(RefreshToken.secret_hash == secret_hash, RefreshToken.used_at.is_(None))
        .values(used_at=now())
        .returning(RefreshToken.sign_in_id)
    )
    if first is not None:
        return first, True
    again = session.scalar(
        select(RefreshToken.sign_in_id).where(RefreshToken.secret_hash == secret_hash)
    )
    return (again, False) if again is not None else None


@dataclass(frozen=True)
class Tries:
    """Failed tries since a window began."""

    count: int
    since: datetime


def failures(session: Session, subjects: list[str], window: timedelta) -> dict[str, Tries]:
    """Return the tries counted for each subject in its current window."""
    rows = session.scalars(
        select(SignInFailures).where(
            SignInFailures.subject.in_(subjects),
            SignInFailures.window_started_at > now() - window,
        )
    )
    return {row.subject: Tries(row.count, row.window_started_at) for row in rows}


def count_failure(session: Session, subject: str, window: timedelta) -> None:
    """Count one more failed try; a window that has passed begins anew."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    over = SignInFailures.window_started_at <= now() - window
    session.execute(
        insert(SignInFailures)
        .values(subject=subject, count=1, window_started_at=now())
        .on_conflict_do_update(
            index_elements=[SignInFailures.subject],
            set_={
                "count": case((over, 1), else_=SignInFailures.count + 1),
                "window_started_at": case((over, now()), else_=SignInFailures.window_started_at),
            },
        )
    )


def forget_failures(session: Session, subjects: list[str]) -> None:
    session.execute(delete(SignInFailures).where(SignInFailures.subject.in_(subjects)))
