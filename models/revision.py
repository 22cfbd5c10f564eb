"""Where a database stands against this release, without loading the migration tool."""

from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

_VERSIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"


def current(session: Session) -> str | None:
    """Return the revision the database is at; raises an SQLAlchemyError when it has none."""
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found


@cache
def head() -> str:
    """Return this release's revision: files are named by their revision, which count up."""
    return max(path.name for path in _VERSIONS.glob("[0-9]*.py")).partition("_")[0]
