"""Queries over API keys."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from models.stores.paging import Page, page
from models.tables.access import ApiKey as ApiKey
from models.tables.access import User
from models.tables.base import now
from racine.errors import NotFound
from racine.ids import new_id

_USED_GRAIN = timedelta(minutes=1)


def add(session: Session, **values: Any) -> ApiKey:
    key = ApiKey(id=new_id("key"), **values)
    session.add(key)
    session.flush()
    return key


def current(session: Session, secret_hash: str) -> tuple[ApiKey, User] | None:
    """Return the key and its owner while both are good."""
    row = session.execute(
        select(ApiKey, User)
        .join(User, User.id == ApiKey.user_id)
        .where(
            ApiKey.secret_hash == secret_hash,
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now()),
            User.state == "active",
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


def needs_touch(key: ApiKey) -> bool:
    """Tell whether its last use was noted long enough ago to note it again."""
    return key.last_used_at is None or key.last_used_at < now() - _USED_GRAIN


def touch(session: Session, key_id: str, moment: datetime) -> None:
    session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=moment))


def get(session: Session, key_id: str, *, user_id: str) -> ApiKey:
    """Return the user's key; raise NotFound for one of somebody else."""
    key = session.get(ApiKey, key_id)
    if key is None or key.user_id != user_id:
        raise NotFound(f"There is no API key {key_id!r}.")
    return key


def name_taken(session: Session, *, workspace_id: str, user_id: str, name: str) -> bool:
    found = session.scalar(
        select(ApiKey.id).where(
            ApiKey.workspace_id == workspace_id, ApiKey.user_id == user_id, ApiKey.name == name
        )
    )
    return found is not None


def of_user(
    session: Session, user_id: str, workspace_id: str, *, limit: int, cursor: str | None
) -> Page[ApiKey]:
    query = select(ApiKey).where(ApiKey.user_id == user_id, ApiKey.workspace_id == workspace_id)
    return page(session, query, ApiKey, limit=limit, cursor=cursor)
