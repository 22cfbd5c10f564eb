"""What a fresh installation needs before anybody can sign in."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from models.keys import read_or_make
from models.session import Database
from models.settings import Settings
from models.stores import grants, roles, users, workspaces
from racine.governance.rbac.decision import TENANT
from racine.governance.rbac.roles import BUILT_IN
from services import access, audit, passwords

ADMIN_EMAIL = "admin@racine.local"
PASSWORD_FILE = "admin-password"
_WORKSPACE = ("main", "Main")


@dataclass(frozen=True)
class FirstAdministrator:
    """The account a first start made, and where its password lies if it was generated."""

    email: str
    password_file: Path | None


def prepare(db: Database, settings: Settings) -> FirstAdministrator | None:
    """Bring built-in roles up to date; on a fresh database, make a workspace and an administrator.

    Safe to repeat and to run in several processes at once. Returns the administrator when this
    call made it.
    """
    with db.read() as session:
        fresh = not users.any_at_all(session)
    # Before the account, so that a crash between the two leaves no account nobody can enter.
    password, file = _password(settings) if fresh else ("", None)
    hashed = passwords.hashed(password) if fresh else ""
    with db.write() as session:
        roles.lock(session)
        for role in BUILT_IN:
            roles.keep_built_in(session, role)
        if not fresh or users.any_at_all(session):
            return None
        _administrator(session, hashed)
    return FirstAdministrator(ADMIN_EMAIL, file)


def _password(settings: Settings) -> tuple[str, Path | None]:
    if settings.admin_password is not None:
        return settings.admin_password.get_secret_value(), None
    path = settings.data_dir / PASSWORD_FILE
    return read_or_make(path, secrets.token_urlsafe(18)), path


def _administrator(session: Session, hashed: str) -> None:
    slug, title = _WORKSPACE
    workspace = workspaces.find(session, slug) or workspaces.add(
        session, slug=slug, title=title, created_by=access.SYSTEM_ID
    )
    user = users.add(session, email=ADMIN_EMAIL, name="Administrator", password_hash=hashed)
    role = roles.named(session, "platform_admin", workspace.id)
    grants.give(session, user_id=user.id, role_id=role.id, scope=TENANT, by=access.SYSTEM_ID)
    audit.record(
        session, access.system(workspace.id), "user.create", user.id,
        after={"email": user.email, "role": role.name}, chain=TENANT,
    )  # fmt: skip
