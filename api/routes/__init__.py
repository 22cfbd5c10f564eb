"""The routers, one for each noun; a new noun is one line here."""

from fastapi import APIRouter

from api.routes import auth, executions, operations, workflows

ROUTERS: tuple[APIRouter, ...] = (
    auth.router,
    executions.router,
    operations.router,
    workflows.router,
)
