"""Accounts and their profiles."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from models.stores import users
from models.stores.users import User
from racine.governance.rbac.permissions import ALL
from services import access
from services.access import Actor


@dataclass(frozen=True)
class Profile:
    user: User
    permissions: list[str]


def profile(session: Session, actor: Actor) -> Profile:
    """Return the actor's account and what it may do in its workspace."""
    access.signed_in(actor)
    may = [p for p in ALL if access.explain(session, actor, p).allowed]
    return Profile(users.get(session, actor.id), may)
