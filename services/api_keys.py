"""API keys: narrower than their owner, and of one workspace."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from models.stores import api_keys
from models.stores.api_keys import ApiKey as ApiKey
from models.stores.paging import Page
from racine.errors import Conflict, Forbidden, InvalidInput
from racine.governance.rbac.permissions import check_patterns
from services import access, audit, tokens
from services.access import Actor
from services.grants import check_holds

_SHOWN = 10


@dataclass(frozen=True)
class NewKey:
    """A key with its secret, which nobody can read again."""

    key: ApiKey
    secret: str


def create(
    session: Session, actor: Actor, *, name: str, permissions: list[str],
    expires_at: datetime | None,
) -> NewKey:  # fmt: skip
    """Make a key for the actor's workspace; raise Forbidden for more than its owner holds there."""
    access.signed_in(actor)
    if actor.key_permissions is not None:
        raise Forbidden("An API key makes no API keys.", next_step="Sign in by password.")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidInput("The key would have run out already.", next_step="Name a later time.")
    patterns = check_patterns(permissions)
    check_holds(session, actor, patterns, actor.workspace_id)
    mine = {"workspace_id": actor.workspace_id, "user_id": actor.id}
    if api_keys.name_taken(session, name=name, **mine):
        raise Conflict(f"You have a key named {name!r} here.", next_step="Choose another name.")
    secret = tokens.new_secret(tokens.KEY_PREFIX)
    key = api_keys.add(
        session, name=name, permissions=list(patterns), expires_at=expires_at,
        prefix=secret[:_SHOWN], secret_hash=tokens.fingerprint(secret), **mine,
    )  # fmt: skip
    audit.record(
        session, actor, "api_key.create", key.id, after={"name": name, "permissions": patterns}
    )
    return NewKey(key, secret)


def listed(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> Page[ApiKey]:
    """Return the actor's keys in the workspace, never their secrets."""
    access.signed_in(actor)
    return api_keys.of_user(session, actor.id, actor.workspace_id, limit=limit, cursor=cursor)


def revoke(session: Session, actor: Actor, key_id: str) -> None:
    """End one of the actor's keys; doing it again changes nothing."""
    access.signed_in(actor)
    key = api_keys.get(session, key_id, user_id=actor.id)
    access.same_workspace(actor, key.workspace_id, f"API key {key_id!r}")
    if key.revoked_at is None:
        key.revoked_at = datetime.now(UTC)
        audit.record(session, actor, "api_key.revoke", key.id, before={"name": key.name})
