"""Queries over roles."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.tables.access import Grant
from models.tables.access import Role as Role
from models.tables.base import now
from racine.errors import Conflict, NotFound
from racine.governance.rbac import roles
from racine.governance.rbac.decision import TENANT
from racine.ids import new_id


def usable_in(session: Session, workspace_id: str) -> list[Role]:
    """Return the roles that can be granted in a workspace: its own and those for all."""
    return list(
        session.scalars(
            select(Role).where(Role.owner.in_((workspace_id, TENANT))).order_by(Role.name, Role.id)
        )
    )


def named(session: Session, name: str, workspace_id: str) -> Role:
    """Return the role of that name: the workspace's own, else one for all; raise NotFound."""
    found = [role for role in usable_in(session, workspace_id) if role.name == name]
    if not found:
        raise NotFound(f"There is no role {name!r}.", next_step="GET /api/rbac/roles lists them.")
    return found[0]


def get(session: Session, role_id: str, workspace_id: str) -> Role:
    """Return a role that can be granted in the workspace; raise NotFound."""
    role = session.get(Role, role_id)
    if role is None or role.owner not in (workspace_id, TENANT):
        raise NotFound(f"There is no role {role_id!r}.")
    return role


def add(session: Session, *, owner: str, name: str, title: str, permissions: list[str]) -> Role:
    """Store a new role; raise Conflict for a name that would be ambiguous."""
    taken = select(Role.id).where(Role.name == name)
    if owner != TENANT:
        taken = taken.where(Role.owner.in_((owner, TENANT)))
    if session.scalar(taken.limit(1)) is not None:
        raise Conflict(f"There is already a role {name!r}.", next_step="Choose another name.")
    role = Role(
        id=new_id("role"), owner=owner, name=name, title=title, permissions=permissions,
        updated_at=now(),
    )  # fmt: skip
    session.add(role)
    session.flush()
    return role


def change(session: Session, role: Role, *, title: str, permissions: list[str]) -> None:
    role.title, role.permissions, role.updated_at = title, permissions, now()
    session.flush()


def scopes_of(session: Session, role_id: str) -> list[str]:
    """Return the scopes on which somebody holds the role."""
    return list(session.scalars(select(Grant.scope).where(Grant.role_id == role_id).distinct()))


def keep_built_in(session: Session, shipped: roles.Role) -> None:
    """Store a role that ships with Racine as this release has it."""
    role = session.scalar(select(Role).where(Role.name == shipped.name, Role.owner == TENANT))
    if role is None:
        role = Role(id=new_id("role"), owner=TENANT, name=shipped.name, built_in=True)
        session.add(role)
    elif (role.title, role.permissions) == (shipped.title, list(shipped.permissions)):
        return
    change(session, role, title=shipped.title, permissions=list(shipped.permissions))


def lock(session: Session) -> None:
    """Let one transaction at a time prepare an installation."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(7_253_902)))
