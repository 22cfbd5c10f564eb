"""The routers, one for each noun; a new noun is one line here."""

from fastapi import APIRouter

from api.routes import (
    activities,
    api_keys,
    auth,
    executions,
    grants,
    operations,
    rbac,
    users,
    workflows,
    workspaces,
)

ROUTERS: tuple[APIRouter, ...] = (
    activities.router,
    api_keys.router,
    auth.router,
    executions.router,
    grants.router,
    operations.router,
    rbac.router,
    users.router,
    workflows.router,
    workspaces.router,
)
