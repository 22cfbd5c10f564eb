"""Queries over data sources."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.sources import Source
from racine.errors import Conflict, NotFound
from racine.governance.data_sources import states
from racine.governance.data_sources.states import SourceState
from racine.ids import new_id

__all__ = ["Source"]


def register(
    session: Session, workspace_id: str, *, name: str, kind: str, location: str,
    credential: str | None = None, options: dict[str, Any] | None = None,
) -> Source:  # fmt: skip
    """Store a source, or bring the one of that name up to date.

    Another address makes its state `registered` again: what was found there says nothing of it.
    Raises Conflict when the one of that name is archived.
    """
    source = named(session, workspace_id, name)
    if source is None:
        source = Source(
            id=new_id("src"), workspace_id=workspace_id, name=name, kind=kind, location=location,
            state=SourceState.REGISTERED, options={}, health={},
        )  # fmt: skip
        session.add(source)
    if source.state == SourceState.ARCHIVED:
        raise Conflict(
            f"The source {name!r} is archived.", next_step="Register it under another name."
        )
    if (source.kind, source.location) != (kind, location):
        source.state, source.state_reason = SourceState.REGISTERED, None
    source.kind, source.location, source.credential = kind, location, credential
    source.options = options or {}
    source.updated_at = datetime.now(UTC)
    session.flush()
    return source


def get(session: Session, source_id: str, *, workspace_id: str | None = None) -> Source:
    """Return a source; raise NotFound when there is none, or none in the workspace."""
    source = session.get(Source, source_id)
    if source is None or workspace_id not in (None, source.workspace_id):
        raise NotFound(
            f"There is no source {source_id!r}.", next_step="GET /api/data-sources lists them."
        )
    return source


def named(session: Session, workspace_id: str, name: str) -> Source | None:
    return session.scalar(
        select(Source).where(Source.workspace_id == workspace_id, Source.name == name)
    )


def listing(
    session: Session, seen: ColumnElement[bool], *, state: str | None = None, limit: int = 50,
    cursor: str | None = None,
) -> Page[Source]:  # fmt: skip
    """Return the sources that a condition lets through, newest first."""
    query = select(Source).where(seen)
    if state:
        query = query.where(Source.state == state)
    return page(session, query, Source, limit=limit, cursor=cursor)


def move(session: Session, source_id: str, to: SourceState, reason: str | None = None) -> Source:
    """Bring a source to the next state of its life cycle; raise Conflict when it may not go."""
    source = get(session, source_id)
    states.check(source.name, source.state, to)
    if source.state != to or source.state_reason != reason:
        source.state, source.state_reason = to, reason and reason[:2000]
        source.updated_at = datetime.now(UTC)
    return source


def keep_health(session: Session, source_id: str, health: dict[str, Any]) -> None:
    get(session, source_id).health = health


def update(session: Session, source_id: str, **fields: Any) -> Source:
    source = get(session, source_id)
    for name, value in fields.items():
        setattr(source, name, value)
    source.updated_at = datetime.now(UTC)
    return source


def delete(session: Session, source_id: str) -> None:
    """Delete a source and all that scans found there."""
    session.delete(get(session, source_id))
