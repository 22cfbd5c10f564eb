"""Puts and gets large values by reference."""

import hashlib

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.tables.blobs import Blob
from racine.errors import InvalidInput, NotFound

MAX_BYTES = 64 * 1024 * 1024
_PREFIX = "blob:"


def put(
    session: Session, workspace_id: str, content: bytes, media_type: str = "application/json"
) -> str:
    """Keep the content and return its reference; the same content again is the same blob.

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
    session.execute(
        insert(Blob)
        .values(
            workspace_id=workspace_id,
            digest=digest,
            media_type=media_type,
            size=len(content),
            content=content,
        )
        .on_conflict_do_nothing()
    )
    return _PREFIX + digest


def get(session: Session, workspace_id: str, ref: str) -> Blob:
    """Return the blob behind a reference; raise NotFound, also for another workspace's."""
    found = session.get(Blob, (workspace_id, ref.removeprefix(_PREFIX)))
    if found is None:
        raise NotFound(f"There is no blob {ref!r}.")
    return found
