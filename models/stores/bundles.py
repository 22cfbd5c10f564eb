"""Queries over bundles."""

from datetime import datetime

from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.base import now
from models.tables.bundles import Bundle as Bundle
from models.tables.jobs import Job, JobVersion
from racine import bundles
from racine.errors import NotFound
from racine.ids import new_id


def put(session: Session, workspace_id: str, content: bytes, files: int, actor: str) -> Bundle:
    """Keep a bundle under its digest; the same content again is the same bundle."""
    digest = bundles.digest(content)
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(
        insert(Bundle)
        .values(
            id=new_id("bnd"),
            workspace_id=workspace_id,
            digest=digest,
            size=len(content),
            files=files,
            content=content,
            created_by=actor,
            used_at=now(),
        )
        .on_conflict_do_update(index_elements=["workspace_id", "digest"], set_={"used_at": now()})
    )
    kept = select(Bundle).where(Bundle.workspace_id == workspace_id, Bundle.digest == digest)
    return session.scalars(kept).one()


def mark_used(session: Session, workspace_id: str, digest: str) -> bool:
    """Keep a bundle from the purge for a while; tell whether there is one.

    A version that names a bundle marks it in its own transaction: a purge at the same moment waits
    for the row, looks at it again and leaves it.
    """
    found = session.scalar(
        update(Bundle)
        .where(Bundle.workspace_id == workspace_id, Bundle.digest == digest)
        .values(used_at=now())
        .returning(Bundle.id)
    )
    return found is not None


def content(session: Session, workspace_id: str, digest: str) -> bytes:
    """Return the bytes of a bundle; raise NotFound, also for another workspace's."""
    found = session.scalar(
        select(Bundle.content).where(Bundle.workspace_id == workspace_id, Bundle.digest == digest)
    )
    if found is None:
        raise NotFound(
            f"There is no bundle {digest}.", next_step="`racine deploy DIR` uploads it again."
        )
    return found


def listed(
    session: Session, workspace_id: str, *, digest: str | None, limit: int, cursor: str | None
) -> Page[Bundle]:
    """Return a workspace's bundles, newest first."""
    query = select(Bundle).where(Bundle.workspace_id == workspace_id)
    if digest is not None:
        query = query.where(Bundle.digest == digest)
    return page(session, query, Bundle, limit=limit, cursor=cursor)


def purge(session: Session, unused_since: datetime) -> int:
    """Delete the bundles that no version of any job names and nobody used since; count them."""
    named = exists().where(
        Job.workspace_id == Bundle.workspace_id,
        JobVersion.job_id == Job.id,
        JobVersion.bundle == Bundle.digest,
    )
    gone = session.scalars(
        delete(Bundle).where(Bundle.used_at < unused_since, ~named).returning(Bundle.id)
    )
    return len(gone.all())
