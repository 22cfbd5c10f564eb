"""One activity row for every mutating or denied call."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from models.session import Database
from models.stores import activities
from racine.redaction import redact
from services.access import Actor

DONE = "done"
DENIED = "denied"


def record(
    session: Session,
    actor: Actor,
    action: str,
    object_id: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    outcome: str = DONE,
    chain: str | None = None,
) -> None:
    """Have the call's own transaction write who did what to which object.

    `action` is `noun.verb`; values are JSON and go in redacted. The row joins the chain of the
    actor's workspace unless another is named.
    """
    activities.append(
        session,
        chain=chain or actor.workspace_id or activities.TENANT,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        object_id=object_id,
        before=redact(before),
        after=redact(after),
        outcome=outcome,
        request_id=actor.request_id,
        origin=actor.origin,
    )


def denied(db: Database, actor: Actor, method: str, path: str, details: Mapping[str, Any]) -> None:
    """Write, in a transaction of its own, that a call was refused."""
    with db.write() as session:
        record(
            session, actor, "access.deny", path[:200],
            after={"method": method, "path": path, **details}, outcome=DENIED,
        )  # fmt: skip
