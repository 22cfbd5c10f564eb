"""What jobs can be made of: the declared operations and the schema of the document."""

from typing import Any

from sqlalchemy.orm import Session

from racine import registry
from racine.definitions import validation
from racine.group import Operation
from services import access
from services.access import Actor


def listed(session: Session, actor: Actor) -> list[Operation[Any, Any]]:
    """Return every operation that a job may name, by wire name."""
    access.require(session, actor, "workflows:read")
    return list(registry.operations().values())


def job_schema(session: Session, actor: Actor) -> dict[str, Any]:
    """Return the JSON Schema of the job document."""
    access.require(session, actor, "workflows:read")
    return validation.job_schema()
