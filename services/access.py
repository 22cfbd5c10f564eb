"""Who is asking, and whether they may: the one place that every use case asks."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from racine.errors import Forbidden


@dataclass(frozen=True)
class Actor:
    """A person, an API key or Racine itself, acting in one workspace at a time."""

    id: str
    name: str
    workspace_id: str
    request_id: str = ""


SYSTEM_ID = "usr_system"


def require(session: Session, actor: Actor, permission: str, *, scope: str | None = None) -> None:
    """Raise Forbidden unless the actor holds `group:verb` in its workspace, or on the scope."""
    if actor.id != SYSTEM_ID:
        raise Forbidden(f"{actor.name} lacks {permission}.")
