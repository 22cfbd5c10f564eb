"""Queries over workspaces."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.access import Grant
from models.tables.base import now
from models.tables.workspaces import Workspace as Workspace
from racine.errors import Conflict, NotFound
from racine.governance.rbac.decision import TENANT
from racine.ids import new_id

GONE = "deleted"


def add(session: Session, *, slug: str, title: str, **values: Any) -> Workspace:
    """Store a new workspace; raise Conflict when the slug is taken."""
    if find(session, slug) is not None:
        raise Conflict(f"There is already a workspace {slug!r}.", next_step="Choose another slug.")
    workspace = Workspace(id=new_id("ws"), slug=slug, title=title, updated_at=now(), **values)
    session.add(workspace)
    session.flush()
    return workspace


def find(session: Session, id_or_slug: str) -> Workspace | None:
    """Return the workspace of that id or slug unless it is deleted."""
    return session.scalar(
        select(Workspace).where(
            (Workspace.id == id_or_slug) | (Workspace.slug == id_or_slug),
            Workspace.state != GONE,
        )
    )


def weight(session: Session, workspace_id: str) -> float:
    """Return a workspace's share of the workers, relative to the others'."""
    found = session.scalar(select(Workspace.fairness_weight).where(Workspace.id == workspace_id))
    return 1.0 if found is None else found


def get(session: Session, id_or_slug: str) -> Workspace:
    """Return the workspace; raise NotFound."""
    workspace = find(session, id_or_slug)
    if workspace is None:
        raise NotFound(f"There is no workspace {id_or_slug!r}.")
    return workspace


def first_of(session: Session, user_id: str) -> Workspace | None:
    """Return the oldest workspace that a user can enter."""
    return session.scalar(
        select(Workspace)
        .where(Workspace.state != GONE, _entered_by(user_id))
        .order_by(Workspace.created_at, Workspace.id)
        .limit(1)
    )


def change(session: Session, workspace: Workspace, **values: Any) -> None:
    """Set what is given, and count the change."""
    for column, value in values.items():
        setattr(workspace, column, value)
    workspace.version += 1
    workspace.updated_at = now()
    session.flush()


def of_user(
    session: Session, user_id: str, *, only: str | None, limit: int, cursor: str | None
) -> Page[Workspace]:
    """Return the workspaces a user can enter, or just the one that `only` names."""
    query = select(Workspace).where(Workspace.state != GONE, _entered_by(user_id))
    if only is not None:
        query = query.where(Workspace.id == only)
    return page(session, query, Workspace, limit=limit, cursor=cursor)


def _entered_by(user_id: str) -> Any:
    mine = select(Grant.id).where(
        Grant.user_id == user_id,
        Grant.denies.is_(False),
        (Grant.expires_at.is_(None)) | (Grant.expires_at > now()),
        (Grant.workspace_id == Workspace.id) | (Grant.scope == TENANT),
    )
    return mine.exists()
