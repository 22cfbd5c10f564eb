"""Puts and gets large values by reference."""

import hashlib
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.messages import RunContext
from models.tables.base import now
from models.tables.blobs import Blob, BlobUse
from models.tables.runs import Run
from racine.errors import InvalidInput, NotFound

MAX_BYTES = 64 * 1024 * 1024
_PREFIX = "blob:"


def put(
    session: Session, context: RunContext, content: bytes, media_type: str = "application/json"
) -> str:
    """Keep content for a run and return its reference; the same content again is the same blob.

    Raises InvalidInput over 64 MiB.
    """
    if len(content) > MAX_BYTES:
        raise InvalidInput(
            f"The value has {len(content)} bytes; at most {MAX_BYTES} can be kept.",
            next_step="Write it where it belongs, a table or a file, and return where that is.",
        )
    digest = hashlib.sha256(content).hexdigest()
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    key = {"workspace_id": context.workspace_id, "digest": digest}
    at = now()
    session.execute(
        insert(Blob)
        .values(
            **key, media_type=media_type, size=len(content), content=content,
            created_at=at, written_at=at,
        )
        # Not nothing: the row's lock keeps a purge away until the use is there.
        .on_conflict_do_update(index_elements=list(key), set_={"written_at": at})
    )  # fmt: skip
    session.execute(insert(BlobUse).values(**key, run_id=context.run_id).on_conflict_do_nothing())
    return _PREFIX + digest


def get(session: Session, workspace_id: str, ref: str) -> Blob:
    """Return the blob behind a reference; raise NotFound, also for another workspace's."""
    found = session.get(Blob, (workspace_id, ref.removeprefix(_PREFIX)))
    if found is None:
        raise NotFound(f"There is no blob {ref!r}.")
    return found


def forget_uses(session: Session, ended_before: datetime) -> None:
    """Let go of what runs refer to that ended before that moment, or that are no more."""
    recent = or_(Run.ended_at.is_(None), Run.ended_at >= ended_before)
    kept = exists().where(Run.id == BlobUse.run_id, recent)
    session.execute(delete(BlobUse).where(~kept))


def purge(session: Session, written_before: datetime, limit: int = 500) -> int:
    """Delete blobs that no run refers to, and return how many.

    One written since then stays: what shall refer to it may not be committed yet.
    """
    key = (Blob.workspace_id, Blob.digest)
    used = exists().where(BlobUse.workspace_id == Blob.workspace_id, BlobUse.digest == Blob.digest)
    unused = Blob.written_at < written_before, ~used
    some = session.execute(select(*key).where(*unused).limit(limit)).all()
    if not some:
        return 0
    # The condition once more: PostgreSQL looks again at rows that were written meanwhile.
    gone = delete(Blob).where(tuple_(*key).in_([tuple(row) for row in some]), *unused)
    return len(session.execute(gone.returning(Blob.digest)).all())
