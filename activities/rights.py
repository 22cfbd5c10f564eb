"""Whether a run's actor may do what a task asks, at the moment the task runs."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from models.messages import RunContext
from models.session import Database
from models.stores import grants, users
from racine.errors import NotFound
from racine.governance.rbac.decision import decide, refusal


def require(
    db: Database, context: RunContext, permission: str, *, scope: str | None = None
) -> None:
    """Raise Forbidden unless the actor still holds the permission on a scope.

    Without one, that is the run's workspace.

    Rights may have been taken since the run began, so a start that was allowed proves nothing.
    """
    if not permission:
        return
    with db.read() as session:
        ask(session, context.actor, scope or context.workspace_id, [permission])


def ask(session: Session, actor_id: str, scope: str, permissions: Iterable[str]) -> None:
    """Raise Forbidden for the first permission that the actor does not hold on the scope."""
    path, held = grants.path_to(session, scope), grants.of_user(session, actor_id)
    for permission in permissions:
        decision = decide(held, permission, path)
        if not decision.allowed:
            name, active = _named(session, actor_id)
            why = decision.reason if active else "The account is not active."
            raise refusal(name, permission, why, scope)


def _named(session: Session, actor_id: str) -> tuple[str, bool]:
    try:
        actor = users.get(session, actor_id)
    except NotFound:
        return actor_id, False
    return actor.name, actor.state == "active"
