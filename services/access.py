"""Who is asking, and whether they may: the one place that every use case asks."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from models.stores import grants
from models.stores.grants import Column
from racine.definitions.document import JobDocument
from racine.definitions.rights import permissions_of
from racine.errors import Conflict, Forbidden, NotFound
from racine.governance.rbac.decision import SYSTEM_ID as SYSTEM_ID
from racine.governance.rbac.decision import (
    TENANT,
    Decision,
    Grant,
    Path,
    Reach,
    decide,
    reach,
    refusal,
)
from racine.governance.rbac.permissions import ALL, covers

SIGNED_IN = "signed_in"

_CACHE = "racine_grants"


@dataclass(frozen=True)
class Actor:
    """A person, an API key or Racine itself, acting in one workspace at a time."""

    id: str
    name: str
    workspace_id: str
    request_id: str = ""
    origin: str = ""
    """Network address the request came from."""
    sign_in_id: str | None = None
    archived: bool = False
    """Whether its workspace is archived, and so only read."""
    key_permissions: tuple[str, ...] | None = None
    """What an API key narrows its owner's rights to; None for no narrowing."""
    asked: list[str] = field(default_factory=list, compare=False, repr=False)
    """Every permission asked for so far: an answer given without asking is a fault."""


class Hidden(NotFound):
    """The object is in a workspace that the caller is not in: answered like one that is not."""


def system(workspace_id: str) -> Actor:
    """Return Racine itself, acting in a workspace."""
    return Actor(SYSTEM_ID, "Racine", workspace_id)


def require(session: Session, actor: Actor, permission: str, *, scope: str | None = None) -> None:
    """Raise Forbidden unless the actor holds `group:verb` in its workspace, or on the scope.

    `scope` is the id of a source, an asset or a workspace, or `tenant`. One that lies in another
    workspace, or nowhere, raises NotFound.
    """
    decision = explain(session, actor, permission, scope=scope)
    if not decision.allowed:
        raise refusal(actor.name, permission, decision.reason, scope or actor.workspace_id)
    if actor.archived and scope != TENANT and not _goes_on_in_archive(permission):
        raise Conflict(
            "The workspace is archived and can only be read.", next_step="Restore it first."
        )


def require_operations(session: Session, actor: Actor, job: JobDocument) -> None:
    """Raise Forbidden with every permission that the job's operations ask for and nobody gave.

    A run asks again at each task; here its starter learns at once what would fail in the middle.
    """
    missing = missing_rights(session, actor, job)
    if missing:
        told = "; ".join(f"{p} for {', '.join(names)}" for p, names in missing.items())
        raise Forbidden(
            f"{actor.name} may not run all that job {job.name!r} does. Missing: {told}.",
            next_step="Ask whoever administers access for roles that give it.",
            details={"permissions": list(missing), "scope": actor.workspace_id},
        )


def missing_rights(session: Session, actor: Actor, job: JobDocument) -> dict[str, list[str]]:
    """Return what the actor lacks for a job: permissions, each with the operations that ask it."""
    asked = permissions_of(job)
    return {p: asked[p] for p in asked if not explain(session, actor, p).allowed}


def explain(
    session: Session, actor: Actor, permission: str, *, scope: str | None = None
) -> Decision:
    """Decide as `require` does, and say why."""
    _note(actor, permission)
    path = _path(session, actor, scope)
    if not _key_allows(actor, permission, path):
        return Decision(False, f"The API key is not made for {permission} on {path[-1]}.")
    return decide(_grants(session, actor), permission, path)


def visible(
    session: Session,
    actor: Actor,
    permission: str,
    *,
    workspace: Column,
    source: Column | None = None,
    asset: Column | None = None,
) -> ColumnElement[bool]:
    """Return the same decision as a condition for lists; raise Forbidden where nothing can hold.

    The columns carry the ids of the rows' scopes: their workspace, and their source or asset where
    a grant may be that narrow.
    """
    _note(actor, permission)
    found = reach(_grants(session, actor), permission)
    if not _key_allows(actor, permission, (TENANT, actor.workspace_id)) or not found.allowed:
        raise Forbidden(
            f"{actor.name} may not {permission} anywhere here.",
            next_step="Ask whoever administers access for a role that gives it.",
            details={"permission": permission, "scope": actor.workspace_id},
        )
    rows = grants.within(found, workspace=workspace, source=source, asset=asset)
    return rows & (workspace == actor.workspace_id)


def same_workspace(actor: Actor, workspace_id: str, what: str) -> None:
    """Raise NotFound for an object of another workspace; `what` is how the message names it."""
    if workspace_id != actor.workspace_id:
        raise Hidden(f"There is no {what}.")


def signed_in(actor: Actor) -> None:
    """State that a use case needs no right beyond being somebody: one's own profile, say."""
    actor.asked.append(SIGNED_IN)


def may_enter(session: Session, actor: Actor, workspace_id: str) -> bool:
    """Tell whether any grant lets the actor act in the workspace."""
    if actor.id == SYSTEM_ID:
        return True
    return grants.reaches(session, actor.id, workspace_id)


def forget(session: Session) -> None:
    """Make the session read grants anew, after changing some."""
    session.info.pop(_CACHE, None)


def reach_of(session: Session, actor: Actor, permission: str) -> Reach:
    """Return the scopes on which the actor holds a permission."""
    return reach(_grants(session, actor), permission)


def _goes_on_in_archive(permission: str) -> bool:
    return permission.endswith(":read") or permission.startswith("workspaces:")


def _note(actor: Actor, permission: str) -> None:
    if permission not in ALL:
        raise ValueError(f"{permission!r} is not a permission")
    actor.asked.append(permission)


def _key_allows(actor: Actor, permission: str, path: Path) -> bool:
    narrowed = actor.key_permissions
    if narrowed is None:
        return True
    # A key belongs to one workspace: what concerns all of them is out of its reach.
    return len(path) > 1 and any(covers(pattern, permission) for pattern in narrowed)


def _path(session: Session, actor: Actor, scope: str | None) -> tuple[str, ...]:
    # Somebody who can enter no workspace is asked about on the tenant alone.
    path = grants.path_to(session, scope or actor.workspace_id or TENANT)
    if len(path) > 1 and path[1] != actor.workspace_id:
        # A person may look at a workspace without switching to it; at what is in it, not.
        looks_at_workspace = len(path) == 2 and actor.key_permissions is None
        if not (looks_at_workspace and may_enter(session, actor, path[1])):
            raise Hidden(f"There is no {scope!r}.")
    return path


def _grants(session: Session, actor: Actor) -> tuple[Grant, ...]:
    cache: dict[str, tuple[Grant, ...]] = session.info.setdefault(_CACHE, {})
    if actor.id not in cache:
        cache[actor.id] = grants.of_user(session, actor.id)
    return cache[actor.id]
