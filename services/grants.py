"""Giving roles to people, and taking them away."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from models.stores import grants, roles, users
from models.stores.grants import Grant as Grant
from models.stores.grants import Role
from models.stores.paging import Page
from racine.errors import Forbidden, InvalidInput, NotFound
from racine.governance.rbac.decision import TENANT, Decision
from racine.governance.rbac.permissions import expand
from services import access, audit
from services.access import Actor


@dataclass(frozen=True)
class Wish:
    """A role for a user on a scope; `denies` takes away instead."""

    user_id: str
    role: str
    scope: str
    denies: bool = False
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Listed:
    """A page of grants, and the names of their roles by id."""

    page: Page[Grant]
    roles: dict[str, str]


def give(session: Session, actor: Actor, wish: Wish) -> tuple[Grant, Role]:
    """Grant a role; raise Forbidden for one's own account and for more than one holds oneself."""
    access.require(session, actor, "rbac:admin", scope=wish.scope)
    if wish.expires_at is not None and wish.expires_at <= datetime.now(UTC):
        raise InvalidInput("The grant would have run out already.", next_step="Name a later time.")
    role = roles.named(session, wish.role, actor.workspace_id)
    user = users.get(session, wish.user_id)
    if user.id == actor.id:
        raise Forbidden("Nobody changes their own rights.", next_step="Ask another administrator.")
    if not wish.denies:
        check_holds(session, actor, tuple(role.permissions), wish.scope)
    grant = grants.give(
        session,
        user_id=user.id,
        role_id=role.id,
        scope=wish.scope,
        by=actor.id,
        workspace_id=workspace_of(session, wish.scope),
        denies=wish.denies,
        expires_at=wish.expires_at,
    )
    access.forget(session)
    grants.check_administrated(session)
    audit.record(session, actor, "grant.create", grant.id, after=summary(grant, role))
    return grant, role


def revoke(session: Session, actor: Actor, grant_id: str) -> None:
    """Take a grant back; raise Conflict for the last that lets anybody administer Racine."""
    grant, role = _get(session, actor, grant_id)
    access.require(session, actor, "rbac:admin", scope=grant.scope)
    if grant.user_id == actor.id and grant.denies:
        raise Forbidden("Nobody changes their own rights.", next_step="Ask another administrator.")
    before = summary(grant, role)
    session.delete(grant)
    session.flush()
    access.forget(session)
    grants.check_administrated(session)
    audit.record(session, actor, "grant.delete", grant_id, before=before)


def listed(
    session: Session,
    actor: Actor,
    *,
    user_id: str | None,
    scope: str | None,
    limit: int,
    cursor: str | None,
) -> Listed:
    """Return the grants of the workspace, or of the tenant when that is the scope."""
    access.require(session, actor, "rbac:read", scope=TENANT if scope == TENANT else None)
    found = grants.search(
        session, None if scope == TENANT else actor.workspace_id,
        user_id=user_id, scope=scope, limit=limit, cursor=cursor,
    )  # fmt: skip
    return Listed(found, grants.role_names(session, {grant.role_id for grant in found.items}))


def why(
    session: Session, actor: Actor, user_id: str, permission: str, scope: str | None
) -> Decision:
    """Decide for somebody, with the reason; one's own rights anybody may ask after."""
    access.signed_in(actor)
    if user_id == actor.id:
        return access.explain(session, actor, permission, scope=scope)
    access.require(session, actor, "rbac:read", scope=scope)
    user = users.get(session, user_id)
    asked = Actor(user.id, user.name, actor.workspace_id)
    return access.explain(session, asked, permission, scope=scope)


def check_holds(session: Session, actor: Actor, patterns: tuple[str, ...], scope: str) -> None:
    """Raise Forbidden when the patterns give anything that the actor lacks on the scope."""
    lacking = sorted(
        permission
        for permission in expand(patterns)
        if not access.explain(session, actor, permission, scope=scope).allowed
    )
    if lacking:
        raise Forbidden(
            f"{actor.name} cannot give what they lack: {', '.join(lacking[:5])}"
            f"{' and more' if len(lacking) > 5 else ''}.",
            next_step="Ask somebody who holds these.",
        )


def workspace_of(session: Session, scope: str) -> str | None:
    """Return the workspace a scope lies in, None for the tenant."""
    path = grants.path_to(session, scope)
    return path[1] if len(path) > 1 else None


def summary(grant: Grant, role: Role) -> dict[str, Any]:
    return {
        "user_id": grant.user_id,
        "role": role.name,
        "scope": grant.scope,
        "denies": grant.denies,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
    }


def _get(session: Session, actor: Actor, grant_id: str) -> tuple[Grant, Role]:
    grant, role = grants.get(session, grant_id)
    if grant.workspace_id not in (None, actor.workspace_id):
        raise access.Hidden(f"There is no grant {grant_id!r}.")
    if (
        grant.workspace_id is None
        and not access.explain(session, actor, "rbac:read", scope=TENANT).allowed
    ):
        raise NotFound(f"There is no grant {grant_id!r}.")
    return grant, role
