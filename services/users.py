"""Accounts and their profiles."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.session import Database
from models.stores import grants, sign_ins, users
from models.stores.paging import Page
from models.stores.users import User as User
from racine.errors import Fault, Forbidden, InvalidInput
from racine.governance.rbac.decision import TENANT
from racine.governance.rbac.permissions import ALL
from services import access, audit, passwords
from services.access import Actor

ACTIVE = "active"
DISABLED = "disabled"


@dataclass(frozen=True)
class Profile:
    """An account, and what it may do in the workspace it is in."""

    user: User
    permissions: list[str]


def profile(session: Session, actor: Actor) -> Profile:
    """Return the actor's account and what it may do in its workspace."""
    access.signed_in(actor)
    may = [p for p in ALL if access.explain(session, actor, p).allowed]
    return Profile(users.get(session, actor.id), may)


def rename(session: Session, actor: Actor, name: str) -> User:
    """Change the name the actor goes by."""
    access.signed_in(actor)
    user = users.get(session, actor.id)
    before = summary(user)
    users.change(session, user, name=name)
    audit.record(session, actor, "user.update", user.id, before=before, after=summary(user))
    return user


def change_password(db: Database, actor: Actor, current: str, new: str) -> None:
    """Change the actor's password and end its other sign-ins; raise InvalidInput if wrong."""
    access.signed_in(actor)
    if actor.key_permissions is not None:
        raise Forbidden("An API key changes no password.", next_step="Sign in by password.")
    with db.read() as session:
        user = users.get(session, actor.id)
    if not passwords.matches(current, user.password_hash):
        fault = Fault("/current", "It is not the password of this account.")
        raise InvalidInput("The password stays as it is.", faults=[fault])
    passwords.check_rules(new, email=user.email)
    hashed = passwords.hashed(new)
    with db.write() as session:
        users.change(session, users.get(session, actor.id), password_hash=hashed)
        sign_ins.end_all(session, actor.id, but=actor.sign_in_id)
        audit.record(session, actor, "user.change_password", actor.id)


def create(session: Session, actor: Actor, *, email: str, name: str, password: str) -> User:
    """Make an account, which holds no right yet."""
    access.require(session, actor, "rbac:admin", scope=TENANT)
    passwords.check_rules(password, email=email)
    user = users.add(session, email=email, name=name, password_hash=passwords.hashed(password))
    audit.record(session, actor, "user.create", user.id, after=summary(user), chain=TENANT)
    return user


def listed(
    session: Session, actor: Actor, *, state: str | None, limit: int, cursor: str | None
) -> Page[User]:
    access.require(session, actor, "rbac:read", scope=TENANT)
    return users.search(session, state=state, limit=limit, cursor=cursor)


def get(session: Session, actor: Actor, user_id: str) -> User:
    access.require(session, actor, "rbac:read", scope=TENANT)
    return users.get(session, user_id)


def change(
    session: Session, actor: Actor, user_id: str, *, name: str | None, state: str | None
) -> User:
    """Rename, disable or enable an account; disabling ends its sign-ins at once."""
    access.require(session, actor, "rbac:admin", scope=TENANT)
    user = users.get(session, user_id)
    if user.id == actor.id and state == DISABLED:
        raise Forbidden("Nobody disables themselves.", next_step="Ask another administrator.")
    before = summary(user)
    users.change(session, user, name=name, state=state)
    if state == DISABLED:
        sign_ins.end_all(session, user.id)
        grants.check_administrated(session)
    audit.record(
        session, actor, "user.update", user.id, before=before, after=summary(user), chain=TENANT
    )
    return user


def summary(user: User) -> dict[str, Any]:
    return {"email": user.email, "name": user.name, "state": user.state}
