"""Queries over data sources."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.tables.sources import Source
from racine.errors import NotFound
from racine.ids import new_id


def register(
    session: Session, workspace_id: str, *, name: str, kind: str, location: str,
    credential: str | None,
) -> Source:  # fmt: skip
    """Store a source, or bring the one of that name up to date."""
    source = session.scalar(
        select(Source).where(Source.workspace_id == workspace_id, Source.name == name)
    )
    if source is None:
        source = Source(id=new_id("src"), workspace_id=workspace_id, name=name)
        session.add(source)
    source.kind, source.location, source.credential = kind, location, credential
    source.updated_at = datetime.now(UTC)
    session.flush()
    return source


def get(session: Session, source_id: str) -> Source:
    source = session.get(Source, source_id)
    if source is None:
        raise NotFound(f"There is no source {source_id!r}.")
    return source
