"""The routers, one for each noun; a new noun is one line here."""

from fastapi import APIRouter

from api.routes import (
    activities,
    api_keys,
    auth,
    data_sources,
    executions,
    grants,
    operations,
    rbac,
    scan_logic,
    scan_rule_sets,
    secrets,
    users,
    workflows,
    workspaces,
)

ROUTERS: tuple[APIRouter, ...] = (
    activities.router,
    api_keys.router,
    auth.router,
    secrets.router,
    data_sources.router,
    executions.router,
    grants.router,
    operations.router,
    rbac.router,
    scan_logic.router,
    scan_rule_sets.router,
    users.router,
    workflows.router,
    workspaces.router,
)
