"""Secrets that sources refer to: written, listed by name, deleted, and never read back."""

from sqlalchemy.orm import Session

from models.keys import root_key
from models.settings import Settings
from models.stores import secrets
from models.stores.paging import Page
from models.stores.secrets import Secret as Secret
from racine.governance.data_sources import credentials
from services import access, audit
from services.access import Actor


def put(session: Session, actor: Actor, settings: Settings, name: str, value: str) -> Secret:
    """Seal a secret under its name, in place of what was there."""
    access.require(session, actor, "data_sources:write")
    credentials.check_secret_name(name)
    secret = secrets.save(session, actor.workspace_id, name, value, root_key(settings))
    audit.record(session, actor, "secret.write", secret.id, after={"name": name})
    return secret


def listed(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> Page[Secret]:
    """Return the workspace's secrets by name; no value can be had."""
    access.require(session, actor, "data_sources:read")
    return secrets.listing(session, actor.workspace_id, limit=limit, cursor=cursor)


def delete(session: Session, actor: Actor, name: str) -> None:
    access.require(session, actor, "data_sources:write")
    secret_id = secrets.delete(session, actor.workspace_id, name)
    audit.record(session, actor, "secret.delete", secret_id, before={"name": name})
