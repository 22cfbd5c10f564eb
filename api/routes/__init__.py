"""The routers, one for each noun; a new noun is one line here."""

from fastapi import APIRouter

from api.routes import (
    activities,
    api_keys,
    auth,
    executions,
    grants,
    health,
    operations,
    rbac,
    schedules,
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
    health.router,
    operations.router,
    rbac.router,
    schedules.router,
    users.router,
    workflows.router,
    workspaces.router,
)
