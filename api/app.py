"""Builds the application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from api import errors, openapi
from api.deps import State
from api.edge import Edge
from api.idempotency import Idempotency
from api.routes import ROUTERS
from api.strict import Strict
from api.temporal import TemporalLink
from models import logs
from models.collecting import collect_seldom
from models.keys import root_key
from models.session import Database
from models.settings import Settings
from services import bootstrap
from services.begun import Begun
from services.hub import Hub

_RETRY_SECONDS = 1.0

_log = structlog.get_logger("api")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application over the settings given, or those of the environment."""
    if settings is None:
        settings = Settings()
        logs.configure(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = Database(settings.database_url)
        link = TemporalLink(settings.temporal_address, settings.temporal_namespace)
        hub, begun = Hub(db), Begun(db)
        app.state.racine = State(settings, db, link, root_key(settings), hub, begun)
        await link.start()
        preparing = asyncio.create_task(_prepare(db, settings))
        await asyncio.wait({preparing}, timeout=_RETRY_SECONDS)
        yield
        preparing.cancel()
        with suppress(asyncio.CancelledError):
            await preparing
        await link.stop()
        await asyncio.to_thread(hub.close)
        db.close()

    collect_seldom()
    app = FastAPI(title="Racine", lifespan=lifespan, docs_url=None, redoc_url=None)
    errors.register(app)
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app)
    app.add_middleware(Idempotency)
    app.add_middleware(Strict)
    app.add_middleware(Edge)
    return app


async def _prepare(db: Database, settings: Settings) -> None:
    """Prepare the installation as soon as its database is there and migrated."""
    while True:
        try:
            made = await asyncio.to_thread(bootstrap.prepare, db, settings)
        except SQLAlchemyError as error:
            _log.warning("database_not_ready", error=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)
            continue
        if made is not None:
            _log.warning("first_administrator", email=made.email, kept_in=str(made.password_file))
        return
