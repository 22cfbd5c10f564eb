"""The life of a workspace."""

from enum import StrEnum

from racine.errors import Conflict


class WorkspaceState(StrEnum):
    CREATING = "creating"
    CREATION_FAILED = "creation_failed"
    ACTIVE = "active"
    CONFIGURING = "configuring"
    ARCHIVING = "archiving"
    ARCHIVED = "archived"
    DELETING = "deleting"
    DELETED = "deleted"


class WorkspaceKind(StrEnum):
    PERSONAL = "personal"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class Environment(StrEnum):
    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"


_S = WorkspaceState

_NEXT: dict[WorkspaceState, frozenset[WorkspaceState]] = {
    _S.CREATING: frozenset({_S.ACTIVE, _S.CREATION_FAILED}),
    _S.CREATION_FAILED: frozenset({_S.CREATING, _S.DELETING}),
    _S.ACTIVE: frozenset({_S.CONFIGURING, _S.ARCHIVING}),
    _S.CONFIGURING: frozenset({_S.ACTIVE}),
    _S.ARCHIVING: frozenset({_S.ARCHIVED, _S.ACTIVE}),
    _S.ARCHIVED: frozenset({_S.ACTIVE, _S.DELETING}),
    _S.DELETING: frozenset({_S.DELETED, _S.ARCHIVED}),
    _S.DELETED: frozenset(),
}

_NEXT_STEP = {
    _S.DELETING: "Archive it first: what is archived can be looked over and restored.",
    _S.ARCHIVING: "Only an active workspace is archived.",
    _S.ACTIVE: "Only an archived workspace is restored.",
}


def move(state: str, to: WorkspaceState) -> WorkspaceState:
    """Return the new state; raise Conflict where a workspace does not go there from here."""
    if to not in _NEXT[WorkspaceState(state)]:
        raise Conflict(
            f"A workspace that is {state} cannot become {to}.",
            next_step=_NEXT_STEP.get(to, ""),
            details={"state": state},
        )
    return to
