"""Real parts for tests: both database engines and one Temporal server a session."""

import asyncio
import gc
import threading
import uuid
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import create_engine, text
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from models.schema import upgrade
from models.session import Database
from models.temporal import worker_runtime
from tests.mariadb import MariaDb, mariadb
from tests.postgres import postgres
from tests.s3 import Gateway, gateway
from tools.temporal.binary import temporal_binary
from tools.temporal.dev_server import SETTINGS

T = TypeVar("T")

# The same examples on every machine, however slow: a change fails by what it changed.
settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")


def pytest_collection_finish() -> None:
    """Spare the collector what lives as long as the session.

    Its full passes over the modules and tests of a session take seconds on a busy machine, and
    Temporal's SDK gives an activation of a workflow two.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL server's maintenance database."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """An empty MariaDB server; fails, saying how to install it, where it is not."""
    with mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def s3_gateway() -> Iterator[Gateway]:
    """A gateway that serves folders as buckets."""
    with gateway() as server:
        yield server


@pytest.fixture
def postgres_db_url(postgres_url: str) -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database."""
    name = f"t{uuid.uuid4().hex}"
    server = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new, empty database, on each engine in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/racine.db"
    return str(request.getfixturevalue("postgres_db_url"))


@pytest.fixture
def db(db_url: str) -> Iterator[Database]:
    """A migrated database, on each engine in turn."""
    database = Database(db_url)
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def sqlite_db(tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite database, for tests that are not about the store."""
    database = Database(f"sqlite:///{tmp_path}/racine.db")
    upgrade(database)
    yield database
    database.close()


@dataclass(frozen=True)
class Temporal:
    """A running dev server and the event loop its client belongs to."""

    client: Client
    address: str
    loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 100) -> T:
        """Run a coroutine on the client's loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)


@pytest.fixture(scope="session")
def temporal() -> Iterator[Temporal]:
    """One Temporal dev server for the whole session; tests use ids and queues of their own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal_binary()),
            dev_server_extra_args=SETTINGS,
            data_converter=pydantic_data_converter,
            # Workers report as in the product: health takes one that does not for dead.
            runtime=worker_runtime(),
        )

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(60)
    address = server.client.service_client.config.target_host
    yield Temporal(server.client, address, loop)
    asyncio.run_coroutine_threadsafe(server.shutdown(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
