"""Keeps the classifiers that users of a workspace declared."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.classifiers import OwnClassifier as OwnClassifier
from racine.errors import NotFound
from racine.ids import new_id


def entries(session: Session, workspace_id: str) -> Sequence[dict[str, Any]]:
    """Return every declaration of a workspace, by id."""
    query = select(OwnClassifier.entry).where(OwnClassifier.workspace_id == workspace_id)
    return list(session.scalars(query.order_by(OwnClassifier.name)))


def save(
    session: Session, workspace_id: str, name: str, entry: Mapping[str, Any], by: str
) -> OwnClassifier:
    """Store a declaration under its id, in place of what was there."""
    found = find(session, workspace_id, name)
    if found is None:
        found = OwnClassifier(id=new_id("clf"), workspace_id=workspace_id, name=name)
        session.add(found)
    found.entry, found.changed_by, found.updated_at = dict(entry), by, datetime.now(UTC)
    session.flush()
    return found


def find(session: Session, workspace_id: str, name: str) -> OwnClassifier | None:
    return session.scalar(
        select(OwnClassifier).where(
            OwnClassifier.workspace_id == workspace_id, OwnClassifier.name == name
        )
    )


def get(session: Session, workspace_id: str, name: str) -> OwnClassifier:
    found = find(session, workspace_id, name)
    if found is None:
        raise NotFound(
            f"The workspace has no classifier {name!r} of its own.",
            next_step="GET /api/classifications/classifiers lists them.",
        )
    return found


def listing(
    session: Session, workspace_id: str, *, limit: int, cursor: str | None
) -> Page[OwnClassifier]:
    query = select(OwnClassifier).where(OwnClassifier.workspace_id == workspace_id)
    return page(session, query, OwnClassifier, limit=limit, cursor=cursor)
