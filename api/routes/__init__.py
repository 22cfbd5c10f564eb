"""The routers, one for each noun; a new noun is one line here."""

from fastapi import APIRouter

from api.routes import auth, operations

ROUTERS: tuple[APIRouter, ...] = (auth.router, operations.router)
