"""Opens a registered source: its connector, with the credential that its reference names."""

import os
from pathlib import Path

from activities.call import Call
from activities.connectors import opening
from activities.connectors.boundary import Boundary
from activities.connectors.protocol import Connector
from models.keys import root_key
from models.session import Database
from models.settings import Settings
from models.stores import secrets
from models.stores.sources import Source
from racine.errors import InvalidInput, SourceFault
from racine.governance.data_sources import credentials, locations
from racine.governance.data_sources.locations import Location

_LONGEST_SECRET = 64 << 10


def connect(call: Call, source: Source) -> Connector:
    """Return a connector to a source; raise SourceFault when its credential cannot be had."""
    return opening.connect(*located(call.db, source))


def located(db: Database, source: Source) -> tuple[Location, Boundary]:
    """Return where a source is, with its password, and what may be reached on the way."""
    settings = Settings(database_url=db.url)
    location = locations.parse(source.location, source.kind)
    if source.credential:
        location = location.with_password(reveal(db, source.workspace_id, source.credential))
    return location, Boundary(settings.loopback_allowed, settings.source_folders)


def reveal(db: Database, workspace_id: str, text: str) -> str:
    """Return what a reference to a secret stands for, as `env:`, `file:` or `secret:` names it."""
    reference = credentials.parse(text)
    if reference.scheme == "env":
        return _from_environment(reference.name)
    if reference.scheme == "file":
        return _from_file(Path(reference.name))
    with db.read() as session:
        key = root_key(Settings(database_url=db.url))
        return secrets.reveal(session, workspace_id, reference.name, key)


def _from_environment(name: str) -> str:
    if name.startswith("RACINE_"):
        raise InvalidInput(
            "Racine's own settings are no credentials of sources.",
            next_step="Use a variable of another name.",
        )
    value = os.environ.get(name)
    if not value:
        raise SourceFault(
            f"The variable {name} that holds the credential is not set.",
            next_step="Set it for the activity worker and start that again.",
        )
    return value


def _from_file(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as stream:
            value = stream.read(_LONGEST_SECRET).strip()
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise SourceFault(
            f"The file {path} that holds the credential cannot be read: {reason}.",
            next_step="Let the activity worker's user read it.",
        ) from None
    return value
