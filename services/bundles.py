"""The code of jobs: uploaded, listed, and purged when no version names it."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from models.session import Database
from models.stores import bundles
from models.stores.bundles import Bundle as Bundle
from models.stores.paging import Page
from racine import bundles as archives
from services import access, audit
from services.access import Actor

UNUSED = timedelta(days=1)
"""How long a bundle that no version names is kept: a deployment names it soon after."""


def put(session: Session, actor: Actor, content: bytes) -> Bundle:
    """Keep a bundle; the same content again is the same bundle.

    Raises InvalidInput for bytes that are no bundle.
    """
    access.require(session, actor, "workflows:write")
    files = archives.unpack(content)
    kept = bundles.put(session, actor.workspace_id, content, len(files), actor.id)
    after = {"digest": kept.digest, "size": kept.size, "files": kept.files}
    audit.record(session, actor, "bundle.put", kept.id, after=after)
    return kept


def listed(
    session: Session, actor: Actor, *, digest: str | None, limit: int, cursor: str | None
) -> Page[Bundle]:
    """Return the workspace's bundles, newest first, or the one of that digest."""
    access.require(session, actor, "workflows:read")
    return bundles.listed(session, actor.workspace_id, digest=digest, limit=limit, cursor=cursor)


class Duty:
    """The reconciler's part: now and then deletes bundles that no version names."""

    def __init__(
        self, db: Database, *, every: timedelta = timedelta(hours=1), unused: timedelta = UNUSED
    ) -> None:
        self._db = db
        self._every = every
        self._unused = unused
        self._next = datetime.min.replace(tzinfo=UTC)

    async def __call__(self) -> None:
        if datetime.now(UTC) >= self._next:
            await asyncio.to_thread(self._purge)
            self._next = datetime.now(UTC) + self._every

    def _purge(self) -> None:
        with self._db.write() as session:
            bundles.purge(session, datetime.now(UTC) - self._unused)
