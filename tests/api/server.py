"""A real API process for tests: uvicorn in a thread, on a free port."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import structlog
import uvicorn

from api.app import create_app
from models.session import Database
from models.settings import Settings
from models.stores import grants, users, workspaces
from models.tables.access import Role
from models.tables.base import now
from racine.governance.rbac.decision import TENANT
from racine.ids import new_id
from services import bootstrap, passwords

ADMIN_PASSWORD = "correct-horse-battery"
NOWHERE = "127.0.0.1:1"
"""An address where nothing listens: the API without Temporal."""


# The default renders every local variable of every frame, which took half a minute for one error.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)


@dataclass
class Api:
    """A running API, its database, and clients for whoever shall ask."""

    url: str
    db: Database
    workspace_id: str
    app: Any
    clients: list[httpx.Client] = field(default_factory=list)

    def anonymous(self, **headers: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers=headers, timeout=30)
        self.clients.append(client)
        return client

    def signed_in(self, email: str, password: str, **headers: str) -> httpx.Client:
        answer = self.anonymous().post(
            "/api/auth/login", json={"email": email, "password": password}
        )
        answer.raise_for_status()
        token = answer.json()["access_token"]
        return self.anonymous(Authorization=f"Bearer {token}", **headers)

    def as_admin(self, **headers: str) -> httpx.Client:
        """A client of the first administrator, in the first workspace unless a header says else."""
        return self.signed_in(bootstrap.ADMIN_EMAIL, ADMIN_PASSWORD, **headers)

    def as_user(
        self, permissions: Sequence[str] = (), *, scope: str | None = None, **headers: str
    ) -> httpx.Client:
        """A client of a new user who holds the permissions on the scope, else on the workspace.

        Without any permission the user is still a member, of a role that gives nothing.
        """
        email, password = f"{new_id('u')}@example.org", "quite-a-long-phrase"
        with self.db.write() as session:
            hashed = passwords.hashed(password)
            user = users.add(session, email=email, name="Test User", password_hash=hashed)
            role = Role(
                id=new_id("role"), owner=TENANT, name=new_id("r"), title="For a test",
                permissions=list(permissions), updated_at=now(),
            )  # fmt: skip
            session.add(role)
            session.flush()
            grants.give(
                session, user_id=user.id, role_id=role.id, scope=scope or self.workspace_id,
                by=user.id, workspace_id=None if scope == TENANT else self.workspace_id,
            )  # fmt: skip
        return self.signed_in(email, password, **headers)

    def new_workspace(self, slug: str) -> str:
        """Make another workspace, which the administrator can enter, and return its id."""
        with self.db.write() as session:
            return workspaces.add(session, slug=slug, title=slug).id


@contextmanager
def serve(db: Database, folder: Path, *, temporal_address: str = NOWHERE) -> Iterator[Api]:
    """Run the API over a migrated database until the block ends."""
    settings = Settings(
        database_url=db.url,
        temporal_address=temporal_address,
        data_dir=folder / "data",
        admin_password=ADMIN_PASSWORD,
    )
    app = create_app(settings)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="on", timeout_keep_alive=75)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        _wait_until_started(server, thread)
        api = Api(url, db, _first_workspace(db), app)
        try:
            yield api
        finally:
            for client in api.clients:
                client.close()
            server.should_exit = True
            thread.join(timeout=30)
    assert not thread.is_alive(), "the API did not stop"


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the API did not start"
        assert time.monotonic() < deadline, "the API took longer than 30 s to start"
        time.sleep(0.01)


def _first_workspace(db: Database) -> str:
    """The API prepares its database beside serving: wait until that is done."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with db.read() as session:
            if (found := workspaces.find(session, "main")) is not None:
                return found.id
        time.sleep(0.02)
    raise AssertionError("the API did not prepare its database")
