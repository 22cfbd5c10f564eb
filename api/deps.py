"""What routes ask for: a session that reads, one that commits at the edge, and who is asking.

What only reads memory is `async`: FastAPI gives each plain function a thread.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session
from temporalio.client import Client

from api.temporal import TemporalLink
from models.keys import derive
from models.session import Database
from models.settings import Settings
from racine.errors import Unauthenticated
from services import idempotency, sign_in
from services.access import Actor
from services.begun import Begun
from services.hub import Hub
from services.tokens import Signer


@dataclass
class State:
    """What the application holds while it runs; `app.state.racine`."""

    settings: Settings
    db: Database
    link: TemporalLink
    root: bytes
    """The installation's key, from which all others are derived."""
    hub: Hub
    begun: Begun

    @cached_property
    def signer(self) -> Signer:
        return Signer(derive(self.root, "access tokens"))

    @cached_property
    def keeper(self) -> idempotency.Keeper:
        return idempotency.Keeper(self.db, derive(self.root, "answers"))

    @property
    def temporal(self) -> Client:
        """Temporal's client; raises Unavailable while the server does not answer."""
        return self.link.client


async def state(request: Request) -> State:
    found: State = request.app.state.racine
    return found


Racine = Annotated[State, Depends(state)]

_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="bearer",
    description="An access token from POST /api/auth/login, or an API key.",
)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


async def asking(request: Request) -> sign_in.Request:
    """Return what the request says of itself."""
    return sign_in.Request(
        request_id=request.state.request_id,
        origin=request.client.host if request.client else "",
        workspace=request.headers.get("racine-workspace"),
    )


Asking = Annotated[sign_in.Request, Depends(asking)]


def current_actor(request: Request, racine: Racine, bearer: Bearer, asking: Asking) -> Actor:
    known: Actor | None = getattr(request.state, "actor", None)
    if known is not None:
        return known
    if bearer is None:
        raise Unauthenticated(
            "Nobody is signed in.",
            next_step="Send `Authorization: Bearer …`; POST /api/auth/login gives a token.",
        )
    actor = sign_in.authenticate(racine.db, racine.signer, bearer.credentials, asking)
    request.state.actor = actor
    return actor


Me = Annotated[Actor, Depends(current_actor)]


def read_session(racine: Racine) -> Iterator[Session]:
    with racine.db.read() as session:
        yield session


@contextmanager
def _transaction(request: Request, racine: State) -> Iterator[Session]:
    with racine.db.write() as session:
        yield session
        _check_asked(request)
        ticket: idempotency.Ticket | None = getattr(request.state, "ticket", None)
        if ticket is not None:
            idempotency.mark_effected(session, ticket)


def write_session(request: Request, racine: Racine) -> Iterator[Session]:
    with _transaction(request, racine) as session:
        yield session


async def transaction(
    request: Request, racine: Racine
) -> Callable[[], AbstractContextManager[Session]]:
    return lambda: _transaction(request, racine)


def _check_asked(request: Request) -> None:
    """Refuse to commit what nobody asked a right for; the edge refuses to answer it."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None and not actor.asked:
        raise RuntimeError(f"{request.method} {request.url.path} asked for no permission")


ReadSession = Annotated[Session, Depends(read_session, scope="function")]
# The scope makes the commit come before the response: a commit that fails must not answer 200.
WriteSession = Annotated[Session, Depends(write_session, scope="function")]
Transaction = Annotated[Callable[[], AbstractContextManager[Session]], Depends(transaction)]
"""`with transaction() as session:` commits inside the endpoint, which then starts what it wrote."""
