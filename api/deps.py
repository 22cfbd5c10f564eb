"""What routes ask for: a session that reads, one that commits at the edge, and who is asking."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session
from temporalio.client import Client

from models.session import Database
from models.settings import Settings
from services.access import Actor


@dataclass
class State:
    """What the application holds while it runs; `app.state.racine`."""

    settings: Settings
    db: Database
    temporal: Client | None


def state(request: Request) -> State:
    found: State = request.app.state.racine
    return found


Racine = Annotated[State, Depends(state)]


def read_session(racine: Racine) -> Iterator[Session]:
    with racine.db.read() as session:
        yield session


def write_session(racine: Racine) -> Iterator[Session]:
    with racine.db.write() as session:
        yield session


ReadSession = Annotated[Session, Depends(read_session, scope="function")]
# The scope makes the commit come before the response: a commit that fails must not answer 200.
WriteSession = Annotated[Session, Depends(write_session, scope="function")]


def current_actor() -> Actor:
    raise NotImplementedError


Me = Annotated[Actor, Depends(current_actor)]
