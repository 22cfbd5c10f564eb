"""Builds the application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api.deps import State
from api.routes import ROUTERS
from models.session import Database
from models.settings import Settings
from models.temporal import connect


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application over the settings given, or those of the environment."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = Database(settings.database_url)
        client = await connect(settings.temporal_address, settings.temporal_namespace)
        app.state.racine = State(settings, db, client)
        yield
        db.close()

    app = FastAPI(title="Racine", lifespan=lifespan)
    for router in ROUTERS:
        app.include_router(router)
    return app
