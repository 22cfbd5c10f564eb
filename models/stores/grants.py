"""Queries over roles and grants, and where a scope lies."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.stores.paging import Page, page
from models.tables.access import Grant as Grant
from models.tables.access import Role as Role
from models.tables.access import User
from models.tables.base import now
from models.tables.catalog import Asset
from models.tables.sources import Source
from racine.errors import Conflict, NotFound
from racine.governance.rbac import decision
from racine.ids import new_id

Column = InstrumentedAttribute[str] | InstrumentedAttribute[str | None]


def of_user(session: Session, user_id: str) -> tuple[decision.Grant, ...]:
    """Return what somebody holds now, with the patterns of the roles.

    Grants that have run out count no more, nor do any of an account that is not active.
    """
    if user_id == decision.SYSTEM_ID:
        return decision.EVERYTHING
    rows = session.execute(
        select(Grant, Role.name, Role.permissions)
        .join(Role, Role.id == Grant.role_id)
        .join(User, User.id == Grant.user_id)
        .where(
            Grant.user_id == user_id,
            User.state == "active",
            or_(Grant.expires_at.is_(None), Grant.expires_at > now()),
        )
    )
    return tuple(
        decision.Grant(grant.id, name, tuple(permissions), grant.scope, grant.denies)
        for grant, name, permissions in rows
    )


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


def get(session: Session, grant_id: str) -> tuple[Grant, Role]:
    """Return the grant and its role; raise NotFound."""
    row = session.execute(
        select(Grant, Role).join(Role, Role.id == Grant.role_id).where(Grant.id == grant_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no grant {grant_id!r}.")
    return row[0], row[1]


def search(
    session: Session,
    workspace_id: str | None,
    *,
    user_id: str | None = None,
    scope: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Grant]:
    """Return the grants that lie in a workspace, or those on the tenant when it is None."""
    query = select(Grant).where(
        Grant.workspace_id.is_(None) if workspace_id is None else Grant.workspace_id == workspace_id
    )
    if user_id is not None:
        query = query.where(Grant.user_id == user_id)
    if scope is not None:
        query = query.where(Grant.scope == scope)
    return page(session, query, Grant, limit=limit, cursor=cursor)


def role_names(session: Session, role_ids: set[str]) -> dict[str, str]:
    rows = session.execute(select(Role.id, Role.name).where(Role.id.in_(role_ids)))
    return {row.id: row.name for row in rows}


def members(session: Session, workspace_id: str) -> list[tuple[User, list[str]]]:
    """Return who holds roles on a workspace as a whole, with the roles' names."""
    rows = session.execute(
        select(User, Role.name)
        .join(Grant, Grant.user_id == User.id)
        .join(Role, Role.id == Grant.role_id)
        .where(Grant.scope == workspace_id, Grant.denies.is_(False))
        .order_by(User.email, Role.name)
    )
    found: dict[str, tuple[User, list[str]]] = {}
    for user, role in rows:
        found.setdefault(user.id, (user, []))[1].append(role)
    return list(found.values())


def on_scope(session: Session, user_id: str, scope: str) -> list[Grant]:
    """Return what a user was given on exactly this scope."""
    return list(
        session.scalars(
            select(Grant).where(
                Grant.user_id == user_id, Grant.scope == scope, Grant.denies.is_(False)
            )
        )
    )


def check_administrated(session: Session) -> None:
    """Raise Conflict when no active user is left who may administer access everywhere."""
    rows = session.execute(
        select(Grant, Role.permissions)
        .join(Role, Role.id == Grant.role_id)
        .join(User, User.id == Grant.user_id)
        .where(
            Grant.scope == decision.TENANT,
            Grant.expires_at.is_(None),
            User.state == "active",
        )
    )
    by_user: dict[str, list[decision.Grant]] = {}
    for grant, patterns in rows:
        held = decision.Grant(grant.id, "", tuple(patterns), grant.scope, grant.denies)
        by_user.setdefault(grant.user_id, []).append(held)
    path = (decision.TENANT,)
    if not any(decision.decide(held, "rbac:admin", path).allowed for held in by_user.values()):
        raise Conflict(
            "Nobody would be left who may administer access.",
            next_step="Make somebody else platform_admin first.",
        )


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
