"""One activity row for every mutating call, written in the call's own transaction."""

from typing import Any

from sqlalchemy.orm import Session

from services.access import Actor


def record(
    session: Session,
    actor: Actor,
    action: str,
    object_id: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write who did what to which object; `action` is `noun.verb`, values carry no secret."""
