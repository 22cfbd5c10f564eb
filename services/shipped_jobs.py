"""Jobs of a workspace that are made from Racine's own templates when they are first needed."""

from sqlalchemy.orm import Session

from models.stores import jobs
from models.stores.jobs import Job
from racine import templates
from racine.definitions import validation
from services import access
from services.access import Actor


def of(session: Session, actor: Actor, name: str) -> Job:
    """Return the workspace's job of a template, at the version that this release ships.

    It needs no right to write jobs: what it does is not the caller's to choose.
    """
    document = validation.validate(templates.load(name))
    stored = document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return jobs.save(session, actor.workspace_id, stored, access.SYSTEM_ID)
