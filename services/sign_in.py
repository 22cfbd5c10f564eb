"""Signing in and out, and telling from a bearer token who is asking."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.session import Database
from models.stores import api_keys, sign_ins, users, workspaces
from models.stores.users import User
from models.stores.workspaces import Workspace
from racine.errors import TooManyRequests, Unauthenticated
from services import access, audit, passwords, tokens
from services.access import Actor, Hidden
from services.tokens import Claims, Signer

WINDOW = timedelta(minutes=15)
LIMITS = {"account_from_origin": 10, "account": 100, "origin": 100}
"""Failed tries a window: few for one account from one place, so that nobody can lock others out."""


@dataclass(frozen=True)
class Pair:
    """What a sign-in hands out: a short-lived access token and a refresh token for one use."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True)
class Request:
    """What a request says of itself before anybody is known."""

    request_id: str = ""
    origin: str = ""
    workspace: str | None = None
    """The id or slug its `Racine-Workspace` header names."""


def sign_in(db: Database, signer: Signer, email: str, password: str, request: Request) -> Pair:
    """Check the password and begin a sign-in.

    Raises Unauthenticated, the same for an unknown account as for a wrong password, and
    TooManyRequests after too many failed tries.
    """
    subjects = _subjects(email, request.origin)
    with db.read() as session:
        _check_throttle(session, subjects)
        user = users.by_email(session, email)
    good = passwords.matches(password, user.password_hash if user else None)
    if user is None or not good or user.state != "active":
        _note_failure(db, user, email, subjects, request)
        raise Unauthenticated("The address or the password is wrong.")
    with db.write() as session:
        sign_ins.forget_failures(session, [subjects["account_from_origin"]])
        begun = sign_ins.start(
            session, user.id, origin=request.origin, workspace_id=None, life=tokens.SIGN_IN_LIFE
        )
        audit.record(session, _as(user, request), "sign_in.create", begun.id, chain="tenant")
        return _pair(session, signer, Claims(user.id, begun.id))


def refresh(db: Database, signer: Signer, secret: str) -> Pair:
    """Trade a refresh token for a new pair; used twice, it ends the sign-in (RFC 9700)."""
    with db.write() as session:
        used = sign_ins.use_refresh_token(session, tokens.fingerprint(secret))
        current = sign_ins.current(session, used[0]) if used else None
        if used is not None and used[1] and current is not None:
            return _pair(session, signer, Claims(current[1].id, used[0]))
        if used is not None:
            sign_ins.end(session, used[0])
    raise Unauthenticated("The refresh token is not valid.", next_step="Sign in again.")


def sign_out(session: Session, actor: Actor) -> None:
    """End the actor's sign-in, its tokens with it."""
    access.signed_in(actor)
    if actor.sign_in_id is not None:
        sign_ins.end(session, actor.sign_in_id)
        audit.record(session, actor, "sign_in.end", actor.sign_in_id, chain="tenant")


def authenticate(db: Database, signer: Signer, bearer: str, request: Request) -> Actor:
    """Return who holds the bearer token, in the workspace that the request is about.

    Raises Unauthenticated, and NotFound for a workspace that the holder cannot enter.
    """
    if bearer.startswith(tokens.KEY_PREFIX):
        return _by_key(db, bearer, request)
    claims = signer.read(bearer)
    with db.read() as session:
        current = sign_ins.current(session, claims.sign_in_id)
        if current is None or current[1].id != claims.user_id:
            raise Unauthenticated("The sign-in has ended.", next_step="Sign in again.")
        begun, user = current
        actor = replace(_as(user, request), sign_in_id=begun.id)
        return _in_workspace(session, actor, request.workspace, begun.workspace_id)


def _in_workspace(session: Session, actor: Actor, wanted: str | None, last: str | None) -> Actor:
    if wanted is not None:
        asked = workspaces.find(session, wanted)
        if asked is None or not access.may_enter(session, actor, asked.id):
            raise Hidden(
                f"There is no workspace {wanted!r}.", next_step="GET /api/racine/workspaces."
            )
        return _entered(actor, asked)
    remembered = workspaces.find(session, last) if last else None
    if remembered is None or not access.may_enter(session, actor, remembered.id):
        remembered = workspaces.first_of(session, actor.id)
    return _entered(actor, remembered) if remembered else actor


def _entered(actor: Actor, workspace: Workspace) -> Actor:
    return replace(actor, workspace_id=workspace.id, archived=workspace.state == "archived")


def _by_key(db: Database, secret: str, request: Request) -> Actor:
    with db.read() as session:
        current = api_keys.current(session, tokens.fingerprint(secret))
        if current is None:
            raise Unauthenticated("The API key is not valid.", next_step="Make a new one.")
        key, user = current
        workspace = workspaces.find(session, key.workspace_id)
        asked = request.workspace
        if workspace is None or (asked is not None and asked not in (workspace.id, workspace.slug)):
            raise Hidden(
                f"There is no workspace {asked or key.workspace_id!r} for this API key.",
                next_step="A key belongs to one workspace: leave the Racine-Workspace header out.",
            )
    if api_keys.needs_touch(key):
        # A database that cannot write now must not keep anybody from reading.
        with suppress(OperationalError), db.write() as session:
            api_keys.touch(session, key.id, datetime.now(UTC))
    owner = _entered(_as(user, request), workspace)
    return replace(owner, key_permissions=tuple(key.permissions))


def _as(user: User, request: Request) -> Actor:
    return Actor(user.id, user.name, "", request_id=request.request_id, origin=request.origin)


def _pair(session: Session, signer: Signer, claims: Claims) -> Pair:
    secret = tokens.new_secret("rt_")
    sign_ins.add_refresh_token(session, claims.sign_in_id, tokens.fingerprint(secret))
    return Pair(signer.issue(claims), secret, int(tokens.ACCESS_LIFE.total_seconds()))


def _subjects(email: str, origin: str) -> dict[str, str]:
    named = {
        "account_from_origin": f"{email.lower()}|{origin}",
        "account": email.lower(),
        "origin": f"@{origin}",
    }
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in named.items()}


def _check_throttle(session: Session, subjects: dict[str, str]) -> None:
    tries = sign_ins.failures(session, list(subjects.values()), WINDOW)
    for name, subject in subjects.items():
        found = tries.get(subject)
        if found is not None and found.count >= LIMITS[name]:
            wait = found.since + WINDOW - datetime.now(UTC)
            raise TooManyRequests(
                "Too many failed tries to sign in.",
                next_step="Wait, then try again.",
                details={"retry_after": max(1, int(wait.total_seconds()))},
            )


def _note_failure(
    db: Database, user: User | None, email: str, subjects: dict[str, str], request: Request
) -> None:
    with db.write() as session:
        for subject in subjects.values():
            sign_ins.count_failure(session, subject, WINDOW)
        # The address typed may be a password typed in the wrong box: only known ones are kept.
        actor = _as(user, request) if user else Actor(
            "usr_unknown", "unknown", "", request.request_id, request.origin
        )  # fmt: skip
        audit.record(
            session, actor, "sign_in.create", actor.id, outcome=audit.DENIED, chain="tenant"
        )
