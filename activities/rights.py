"""Whether a run's actor may do what a task asks, at the moment the task runs."""

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
        path = grants.path_to(session, scope or context.workspace_id)
        decision = decide(grants.of_user(session, context.actor), permission, path)
        if decision.allowed:
            return
        try:
            actor = users.get(session, context.actor)
            name, active = actor.name, actor.state == "active"
        except NotFound:
            name, active = context.actor, False
    why = decision.reason if active else "The account is not active."
    raise refusal(name, permission, why, scope or context.workspace_id)
