"""Keeps secrets, each sealed with AES-256-GCM under a key that is not in the database."""

import hashlib
import os
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.keys import derive
from models.stores.paging import Page, page
from models.tables.secrets import Secret
from racine.errors import Conflict, NotFound
from racine.ids import new_id

__all__ = ["Secret"]

_NONCE_BYTES = 12
"""What NIST SP 800-38D asks for; drawn anew for each sealing."""


def save(session: Session, workspace_id: str, name: str, value: str, root: bytes) -> Secret:
    """Store a secret under its name, in place of what was there."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    secret = _find(session, workspace_id, name)
    if secret is None:
        secret = Secret(id=new_id("sec"), workspace_id=workspace_id, name=name)
        session.add(secret)
    key = _key(root)
    secret.key_id, secret.nonce = _key_id(key), os.urandom(_NONCE_BYTES)
    secret.sealed = AESGCM(key).encrypt(secret.nonce, value.encode(), _place(secret.id))
    secret.updated_at = datetime.now(UTC)
    session.flush()
    return secret


def reveal(session: Session, workspace_id: str, name: str, root: bytes) -> str:
    """Return a secret in the clear; raise NotFound, or Conflict when this key cannot open it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    secret = get(session, workspace_id, name)
    key = _key(root)
    if secret.key_id != _key_id(key):
        raise Conflict(
            f"The secret {name!r} was sealed with another key ({secret.key_id}).",
            next_step="Start with the RACINE_SECRET_KEY of that time, or store the secret anew.",
        )
    try:
        return AESGCM(key).decrypt(secret.nonce, secret.sealed, _place(secret.id)).decode()
    except InvalidTag:
        raise Conflict(
            f"The secret {name!r} is damaged, or was copied from another row.",
            next_step="Store it anew.",
        ) from None


def get(session: Session, workspace_id: str, name: str) -> Secret:
    secret = _find(session, workspace_id, name)
    if secret is None:
        raise NotFound(
            f"There is no secret named {name!r}.",
            next_step="PUT /api/data-sources/secrets/NAME stores one.",
        )
    return secret


def listing(
    session: Session, workspace_id: str, *, limit: int = 50, cursor: str | None = None
) -> Page[Secret]:
    query = select(Secret).where(Secret.workspace_id == workspace_id)
    return page(session, query, Secret, limit=limit, cursor=cursor)


def delete(session: Session, workspace_id: str, name: str) -> str:
    """Delete a secret and return its id."""
    secret = get(session, workspace_id, name)
    session.delete(secret)
    return secret.id


def _find(session: Session, workspace_id: str, name: str) -> Secret | None:
    return session.scalar(
        select(Secret).where(Secret.workspace_id == workspace_id, Secret.name == name)
    )


def _key(root: bytes) -> bytes:
    return derive(root, "secrets")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()[:16]


def _place(secret_id: str) -> bytes:
    """Return what ties a sealed value to its row: a copy in another row does not open."""
    return f"secrets/{secret_id}".encode()
