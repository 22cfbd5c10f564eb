"""`racine migrate`: brings the database, and Temporal's namespace, to this release."""

import asyncio

import typer
from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from local.exits import errors_told
from models.schema import current, head, upgrade
from models.session import Database
from models.temporal import connect
from racine.errors import Unavailable
from tools.temporal.namespace import prepare

_KNOCK_SECONDS = 10


def migrate(database_url: str, temporal_address: str | None, namespace: str) -> None:
    """Upgrade the database, and the namespace where an address is given; safe to repeat.

    Exits 1 with the reason when either cannot be reached or changed.
    """
    with errors_told():
        # Temporal first: a process that ends right after its SDK's last answer may crash, as the
        # thread that brought it still holds the interpreter.
        if temporal_address:
            asyncio.run(_prepare(temporal_address, namespace))
            typer.echo(f"Temporal's namespace {namespace!r} is ready.")
        before, after = _upgrade(database_url)
        what = "is already at" if before == after else "was brought to"
        typer.echo(f"The database {what} revision {after}.")


def _upgrade(database_url: str) -> tuple[str | None, str | None]:
    try:
        database = Database(database_url)
        try:
            before = current(database)
            upgrade(database)
        finally:
            database.close()
    except (SQLAlchemyError, ImportError) as error:
        # The driver's text may repeat the URL with its password, so only the kind is told.
        raise Unavailable(
            f"The database cannot be migrated: {type(error).__name__}.",
            next_step="Check RACINE_DATABASE_URL: address, database name, user and password.",
        ) from None
    return before, head()


async def _prepare(address: str, namespace: str) -> None:
    try:
        await _knock(address)
        await prepare(await connect(address, namespace))
    except (OSError, ValueError, RuntimeError, RPCError) as error:
        raise Unavailable(
            f"Temporal at {address} cannot be prepared: {error}.",
            next_step="Check RACINE_TEMPORAL_ADDRESS, and that the server is up.",
        ) from None


async def _knock(address: str) -> None:
    """Raise OSError when nothing listens: the SDK's failed connect may crash the process's end."""
    host, _, port = address.rpartition(":")
    async with asyncio.timeout(_KNOCK_SECONDS):
        _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
