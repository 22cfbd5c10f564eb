"""The routers, one for each noun; a new noun is one line here."""

from fastapi import APIRouter

from api.routes import (
    activities,
    advanced_catalog,
    api_keys,
    auth,
    classifications,
    compliance_rules,
    data_sources,
    executions,
    grants,
    health,
    notifications,
    operations,
    rbac,
    scan_logic,
    scan_rule_sets,
    schedules,
    secrets,
    users,
    workflows,
    workspaces,
)

ROUTERS: tuple[APIRouter, ...] = (
    activities.router,
    advanced_catalog.router,
    api_keys.router,
    auth.router,
    classifications.router,
    compliance_rules.router,
    secrets.router,
    data_sources.router,
    executions.router,
    grants.router,
    notifications.router,
    health.router,
    operations.router,
    rbac.router,
    scan_logic.router,
    scan_rule_sets.router,
    schedules.router,
    users.router,
    workflows.router,
    workspaces.router,
)
