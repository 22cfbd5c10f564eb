"""Queries over users."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.access import User as User
from models.tables.base import now
from racine.errors import Conflict, NotFound
from racine.ids import new_id


def add(session: Session, *, email: str, name: str, password_hash: str | None) -> User:
    """Store a new user; raise Conflict when the address is taken."""
    email = email.lower()
    if by_email(session, email) is not None:
        raise Conflict(f"There is already a user {email}.", next_step="Grant that one a role.")
    user = User(
        id=new_id("usr"), email=email, name=name, password_hash=password_hash, updated_at=now()
    )
    session.add(user)
    session.flush()
    return user


def get(session: Session, user_id: str) -> User:
    """Return the user; raise NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id!r}.")
    return user


def by_email(session: Session, email: str) -> User | None:
    return session.scalar(select(User).where(User.email == email.lower()))


def any_at_all(session: Session) -> bool:
    return session.scalar(select(func.count()).select_from(User)) != 0


def change(
    session: Session,
    user: User,
    *,
    name: str | None = None,
    state: str | None = None,
    password_hash: str | None = None,
) -> None:
    """Set what is given; None leaves a value as it is."""
    given = {"name": name, "state": state, "password_hash": password_hash}
    for column, value in given.items():
        if value is not None:
            setattr(user, column, value)
    user.updated_at = now()
    session.flush()


def search(
    session: Session, *, state: str | None = None, limit: int = 50, cursor: str | None = None
) -> Page[User]:
    query: Select[User] = select(User)
    if state is not None:
        query = query.where(User.state == state)
    return page(session, query, User, limit=limit, cursor=cursor)
