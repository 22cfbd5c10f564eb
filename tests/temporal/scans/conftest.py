"""Scans as users order them: over the API, through Temporal, by the real workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.session import Database
from services.access import system
from tests.api.server import serve
from tests.conftest import Temporal
from tests.temporal.conftest import Stack, end_open_runs, run_workers
from tests.temporal.scans.platform import Platform
from tests.temporal.scans.servers import Server, mysql, postgresql


@pytest.fixture
def platform(sqlite_db: Database, tmp_path: Path, temporal: Temporal) -> Iterator[Platform]:
    """An API, its database and both workers."""
    with serve(sqlite_db, tmp_path, temporal_address=temporal.address) as api:
        stack = Stack(sqlite_db, temporal, system(api.workspace_id))
        with run_workers(stack):
            yield Platform(stack, api.as_admin())
            end_open_runs(stack)


@pytest.fixture(params=["postgresql", "mariadb"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with a table and a view that take long to read, of each kind in turn."""
    if request.param == "postgresql":
        yield postgresql(str(request.getfixturevalue("postgres_db_url")))
        return
    with mysql(request.getfixturevalue("mariadb_server")) as found:
        yield found
