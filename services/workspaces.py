"""Workspaces, their life and their members."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.stores import grants, roles, sign_ins, users, workspaces
from models.stores.paging import Page
from models.stores.users import User
from models.stores.workspaces import Workspace as Workspace
from racine.errors import Conflict, Forbidden, PreconditionFailed
from racine.governance.rbac.decision import TENANT
from racine.workspaces import WorkspaceState, move
from services import access, audit
from services import grants as granting
from services.access import Actor

OWNER_ROLE = "workspace_owner"


@dataclass(frozen=True)
class Member:
    user: User
    roles: list[str]


def create(
    session: Session, actor: Actor, *, slug: str, title: str, description: str, kind: str,
    environment: str,
) -> Workspace:  # fmt: skip
    """Make a workspace, owned by its maker."""
    access.require(session, actor, "workspaces:write", scope=TENANT)
    found = workspaces.add(
        session, slug=slug, title=title, description=description, kind=kind,
        environment=environment, state=WorkspaceState.CREATING, created_by=actor.id,
    )  # fmt: skip
    role = roles.named(session, OWNER_ROLE, found.id)
    grants.give(
        session, user_id=actor.id, role_id=role.id, scope=found.id, by=actor.id,
        workspace_id=found.id,
    )  # fmt: skip
    access.forget(session)
    _move(found, WorkspaceState.ACTIVE)
    audit.record(session, actor, "workspace.create", found.id, after=summary(found), chain=found.id)
    return found


def listed(session: Session, actor: Actor, *, limit: int, cursor: str | None) -> Page[Workspace]:
    """Return the workspaces that the actor can enter."""
    access.signed_in(actor)
    only = actor.workspace_id if actor.key_permissions is not None else None
    return workspaces.of_user(session, actor.id, only=only, limit=limit, cursor=cursor)


def get(session: Session, actor: Actor, workspace: str) -> Workspace:
    """Return a workspace by id or slug; raise NotFound for one that the actor cannot enter."""
    return _permitted(session, actor, workspace, "workspaces:read")


def change(
    session: Session, actor: Actor, workspace: str, version: int, changes: dict[str, Any]
) -> Workspace:
    """Change what describes a workspace; its share of the workers only for who may so everywhere.

    Raises PreconditionFailed when outdated.
    """
    found = _permitted(session, actor, workspace, "workspaces:write")
    if "fairness_weight" in changes:
        access.require(session, actor, "workspaces:admin", scope=TENANT)
    _at(found, version)
    if found.state != WorkspaceState.ACTIVE:
        raise Conflict(f"The workspace is {found.state}.", next_step="Restore it first.")
    before = summary(found)
    workspaces.change(session, found, **changes)
    _note(session, actor, "workspace.update", found, before)
    return found


def archive(session: Session, actor: Actor, workspace: str) -> Workspace:
    """Take a workspace out of use: from now on it is only read."""
    return _through(
        session, actor, workspace, "workspace.archive",
        (WorkspaceState.ARCHIVING, WorkspaceState.ARCHIVED),
    )  # fmt: skip


def restore(session: Session, actor: Actor, workspace: str) -> Workspace:
    """Bring an archived workspace back into use."""
    return _through(session, actor, workspace, "workspace.restore", (WorkspaceState.ACTIVE,))


def remove(session: Session, actor: Actor, workspace: str, version: int) -> None:
    """Delete an archived workspace: nobody can enter it any more; its activity log stays."""
    found = _permitted(session, actor, workspace, "workspaces:admin")
    _at(found, version)
    _through(
        session, actor, found.id, "workspace.delete",
        (WorkspaceState.DELETING, WorkspaceState.DELETED),
    )  # fmt: skip


def switch(session: Session, actor: Actor, workspace: str) -> Workspace:
    """Make a workspace the one that the actor's sign-in is about from now on."""
    found = _permitted(session, actor, workspace, "workspaces:read")
    if actor.sign_in_id is None:
        raise Conflict(
            "An API key stays in its workspace.", next_step="Use a key of the other workspace."
        )
    sign_ins.switch(session, actor.sign_in_id, found.id)
    audit.record(session, actor, "workspace.switch", found.id)
    return found


def members(session: Session, actor: Actor, workspace: str) -> list[Member]:
    """Return who holds a role on the workspace as a whole."""
    found = _permitted(session, actor, workspace, "workspaces:read")
    return [Member(user, names) for user, names in grants.members(session, found.id)]


def set_member(
    session: Session, actor: Actor, workspace: str, user_id: str, names: list[str]
) -> Member:
    """Give a user exactly these roles on the workspace."""
    found = _permitted(session, actor, workspace, "rbac:admin")
    user = users.get(session, user_id)
    if user.id == actor.id:
        raise Forbidden("Nobody changes their own rights.", next_step="Ask another owner.")
    before = _drop(session, found.id, user.id)
    for name in names:
        role = roles.named(session, name, found.id)
        granting.check_holds(session, actor, tuple(role.permissions), found.id)
        grants.give(
            session, user_id=user.id, role_id=role.id, scope=found.id, by=actor.id,
            workspace_id=found.id,
        )  # fmt: skip
    audit.record(
        session, actor, "member.set", user.id, chain=found.id,
        before={"workspace": found.id, "roles": before},
        after={"workspace": found.id, "roles": sorted(set(names))},
    )  # fmt: skip
    return Member(user, sorted(set(names)))


def remove_member(session: Session, actor: Actor, workspace: str, user_id: str) -> None:
    """Take all roles on the workspace from a user; one without any is no member already."""
    set_member(session, actor, workspace, user_id, [])


def summary(found: Workspace) -> dict[str, Any]:
    names = ("slug", "title", "description", "kind", "environment", "state", "fairness_weight")
    return {name: getattr(found, name) for name in names}


def _permitted(session: Session, actor: Actor, workspace: str, permission: str) -> Workspace:
    found = workspaces.get(session, workspace)
    access.require(session, actor, permission, scope=found.id)
    return found


def _through(
    session: Session, actor: Actor, workspace: str, action: str, states: tuple[WorkspaceState, ...]
) -> Workspace:
    found = _permitted(session, actor, workspace, "workspaces:admin")
    before = summary(found)
    for state in states:
        _move(found, state)
    workspaces.change(session, found)
    _note(session, actor, action, found, before)
    return found


def _move(found: Workspace, state: WorkspaceState) -> None:
    found.state = move(found.state, state)


def _note(
    session: Session, actor: Actor, action: str, found: Workspace, before: dict[str, Any]
) -> None:
    audit.record(
        session, actor, action, found.id, before=before, after=summary(found), chain=found.id
    )


def _at(found: Workspace, version: int) -> None:
    if found.version != version:
        raise PreconditionFailed(
            "The workspace has changed since it was read.",
            next_step="Read it again and send its ETag as If-Match.",
            details={"version": found.version},
        )


def _drop(session: Session, workspace_id: str, user_id: str) -> list[str]:
    held = grants.on_scope(session, user_id, workspace_id)
    names = grants.role_names(session, {grant.role_id for grant in held})
    for grant in held:
        session.delete(grant)
    session.flush()
    return sorted(names.values())
