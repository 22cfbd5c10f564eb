"""`racine migrate`: brings a database to the schema of this release."""

import typer
from sqlalchemy.exc import SQLAlchemyError

from models.schema import current, head, upgrade
from models.session import Database
from racine.errors import RacineError, Unavailable


def migrate(database_url: str) -> None:
    """Upgrade the database; exit 1 with the reason when it cannot be reached or changed."""
    try:
        before, after = _upgrade(database_url)
    except RacineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
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
