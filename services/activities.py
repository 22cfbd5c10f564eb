"""Reading the activity log."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models.stores import activities
from models.stores.activities import Activity
from models.stores.activities import Verification as Verification
from models.stores.paging import Page
from racine.governance.rbac.decision import TENANT
from services import access
from services.access import Actor


@dataclass(frozen=True)
class Filter:
    """What to look for; None leaves a column open."""

    actor_id: str | None = None
    object_id: str | None = None
    action: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(
    session: Session, actor: Actor, wanted: Filter, *, tenant: bool, limit: int, cursor: str | None
) -> Page[Activity]:
    """Return rows of the workspace's log, or of the tenant's, newest first."""
    access.require(session, actor, "activities:read", scope=TENANT if tenant else None)
    chain = TENANT if tenant else actor.workspace_id
    return activities.search(session, chain, **vars(wanted), limit=limit, cursor=cursor)


def verify(session: Session, actor: Actor, *, tenant: bool) -> Verification:
    """Tell whether the log of the workspace, or the tenant's, is as it was written."""
    access.require(session, actor, "activities:read", scope=TENANT if tenant else None)
    return activities.verify(session, TENANT if tenant else actor.workspace_id)
