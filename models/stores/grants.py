"""Queries over roles and grants, and where a scope lies."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.tables.access import Grant, Role
from models.tables.base import now
from models.tables.catalog import Asset
from models.tables.sources import Source
from racine.errors import NotFound
from racine.governance.rbac import decision, roles
from racine.ids import new_id

Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]


def of_user(session: Session, user_id: str) -> tuple[decision.Grant, ...]:
    """Return the user's grants that have not run out, with the patterns of their roles."""
    rows = session.execute(
        select(Grant, Role.name, Role.permissions)
        .join(Role, Role.id == Grant.role_id)
        .where(
            Grant.user_id == user_id,
            or_(Grant.expires_at.is_(None), Grant.expires_at > now()),
        )
    )
    return tuple(
        decision.Grant(grant.id, name, tuple(permissions), grant.scope, grant.denies)
        for grant, name, permissions in rows
    )


def role_named(session: Session, name: str, workspace_id: str) -> Role:
    """Return the role of that name: the workspace's own, or one for all; raise NotFound."""
    role = session.scalar(
        select(Role).where(Role.name == name, Role.owner.in_((workspace_id, decision.TENANT)))
    )
    if role is None:
        raise NotFound(f"There is no role {name!r}.", next_step="GET /api/rbac/roles lists them.")
    return role


def keep_built_in(session: Session, shipped: roles.Role) -> None:
    """Store a role that ships with Racine as this release has it."""
    role = session.scalar(
        select(Role).where(Role.name == shipped.name, Role.owner == decision.TENANT)
    )
    if role is None:
        role = Role(id=new_id("role"), owner=decision.TENANT, name=shipped.name, built_in=True)
        session.add(role)
    values = {"title": shipped.title, "permissions": list(shipped.permissions)}
    if any(getattr(role, name) != value for name, value in values.items()):
        role.title, role.permissions, role.updated_at = (
            shipped.title, list(shipped.permissions), now(),
        )  # fmt: skip
    session.flush()


def lock_roles(session: Session) -> None:
    """Let one transaction at a time prepare an installation."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(7_253_902)))


def give(
    session: Session,
    *,
    user_id: str,
    role_id: str,
    scope: str,
    by: str,
    workspace_id: str | None = None,
    denies: bool = False,
    expires_at: datetime | None = None,
) -> Grant:
    """Store a grant, or bring the one there is up to date."""
    grant = session.scalar(
        select(Grant).where(
            Grant.user_id == user_id,
            Grant.role_id == role_id,
            Grant.scope == scope,
            Grant.denies.is_(denies),
        )
    )
    if grant is None:
        grant = Grant(
            id=new_id("grt"), user_id=user_id, role_id=role_id, scope=scope,
            workspace_id=workspace_id, denies=denies, granted_by=by,
        )  # fmt: skip
        session.add(grant)
    grant.granted_by, grant.expires_at = by, expires_at
    session.flush()
    return grant


def reaches(session: Session, user_id: str, workspace_id: str) -> bool:
    """Tell whether the user holds anything in the workspace, or in all of them."""
    found = session.scalar(
        select(Grant.id)
        .where(
            Grant.user_id == user_id,
            Grant.denies.is_(False),
            or_(Grant.workspace_id == workspace_id, Grant.scope == decision.TENANT),
            or_(Grant.expires_at.is_(None), Grant.expires_at > now()),
        )
        .limit(1)
    )
    return found is not None


def path_to(session: Session, scope: str) -> tuple[str, ...]:
    """Return the scopes from the tenant down to this one; raise NotFound when it is not there."""
    if scope == decision.TENANT:
        return (decision.TENANT,)
    if scope.startswith("ws_"):
        return (decision.TENANT, scope)
    if scope.startswith("src_"):
        workspace = session.scalar(select(Source.workspace_id).where(Source.id == scope))
        above = [workspace]
    else:
        row = session.execute(
            select(Asset.workspace_id, Asset.source_id).where(Asset.id == scope)
        ).one_or_none()
        above = list(row) if row else [None]
    if above[0] is None:
        raise NotFound(f"There is no {scope!r}.")
    return (decision.TENANT, *(part for part in above if part), scope)


def within(
    reach: decision.Reach, *, workspace: Column, source: Column | None, asset: Column | None
) -> ColumnElement[bool]:
    """Return the decision as a condition on rows that carry the ids of their scopes."""
    columns: list[ColumnElement[str]] = [literal(decision.TENANT)]
    # A row without a source must not make the whole condition NULL.
    columns += [func.coalesce(c, "") for c in (workspace, source, asset) if c is not None]
    return and_(_any_in(columns, reach.allowed), ~_any_in(columns, reach.denied))


def _any_in(columns: list[ColumnElement[str]], scopes: frozenset[str]) -> ColumnElement[bool]:
    if not scopes:
        return false()
    return or_(*(column.in_(sorted(scopes)) for column in columns))
