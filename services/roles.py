"""Roles of one's own beside the built-in ones."""

from typing import Any

from sqlalchemy.orm import Session

from models.stores import roles
from models.stores.roles import Role as Role
from racine.errors import Conflict
from racine.governance.rbac.decision import TENANT
from racine.governance.rbac.permissions import check_patterns
from services import access, audit
from services.access import Actor
from services.grants import check_holds


def listed(session: Session, actor: Actor) -> list[Role]:
    """Return the roles that can be granted here, by name."""
    access.require(session, actor, "rbac:read")
    return roles.usable_in(session, actor.workspace_id)


def create(
    session: Session, actor: Actor, *, name: str, title: str, permissions: list[str], shared: bool
) -> Role:
    """Make a role of the workspace, or of all of them when `shared`.

    Raises Forbidden when it would hold more than its maker does.
    """
    scope = TENANT if shared else actor.workspace_id
    access.require(session, actor, "rbac:admin", scope=scope)
    patterns = check_patterns(permissions)
    check_holds(session, actor, patterns, scope)
    role = roles.add(session, owner=scope, name=name, title=title, permissions=list(patterns))
    audit.record(session, actor, "role.create", role.id, after=summary(role))
    return role


def change(
    session: Session, actor: Actor, role_id: str, *, title: str, permissions: list[str]
) -> Role:
    """Change a role for everybody who holds it; the built-in ones stay as they are."""
    role = _changeable(session, actor, role_id)
    patterns = check_patterns(permissions)
    check_holds(session, actor, patterns, role.owner)
    before = summary(role)
    roles.change(session, role, title=title, permissions=list(patterns))
    access.forget(session)
    audit.record(session, actor, "role.update", role.id, before=before, after=summary(role))
    return role


def remove(session: Session, actor: Actor, role_id: str) -> None:
    """Delete a role that nobody holds."""
    role = _changeable(session, actor, role_id)
    if held := roles.scopes_of(session, role.id):
        raise Conflict(
            f"The role {role.name!r} is granted on {', '.join(held[:3])}.",
            next_step="Revoke its grants first.",
        )
    before = summary(role)
    session.delete(role)
    audit.record(session, actor, "role.delete", role_id, before=before)


def summary(role: Role) -> dict[str, Any]:
    return {"name": role.name, "title": role.title, "permissions": role.permissions}


def _changeable(session: Session, actor: Actor, role_id: str) -> Role:
    role = roles.get(session, role_id, actor.workspace_id)
    access.require(session, actor, "rbac:admin", scope=role.owner)
    if role.built_in:
        raise Conflict(
            f"The role {role.name!r} ships with Racine.", next_step="Make a role of your own."
        )
    return role
