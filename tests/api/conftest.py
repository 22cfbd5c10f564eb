"""A running API over SQLite, without and with Temporal."""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from models.session import Database
from tests.api.server import Api, serve
from tests.conftest import Temporal
from worker import activity_worker, opened, workflow_worker


@pytest.fixture
def api(sqlite_db: Database, tmp_path: Path) -> Iterator[Api]:
    """A running API that reaches no Temporal server."""
    with serve(sqlite_db, tmp_path) as running:
        yield running


@pytest.fixture
def api_on_each(db: Database, tmp_path: Path) -> Iterator[Api]:
    """The same on each database engine in turn."""
    with serve(db, tmp_path) as running:
        yield running


@pytest.fixture
def api_with_temporal(sqlite_db: Database, tmp_path: Path, temporal: Temporal) -> Iterator[Api]:
    """A running API with the session's Temporal server behind it."""
    with serve(sqlite_db, tmp_path, temporal_address=temporal.address) as running:
        yield running


@pytest.fixture
def workers(api_with_temporal: Api, temporal: Temporal, tmp_path: Path) -> Iterator[None]:
    """Both workers, over the API's database."""
    stack = AsyncExitStack()
    with opened(api_with_temporal.db, tmp_path) as attempts:

        async def enter() -> None:
            await stack.enter_async_context(workflow_worker(temporal.client, patient=True))
            await stack.enter_async_context(activity_worker(temporal.client, attempts))

        temporal.run(enter())
        yield
        temporal.run(stack.aclose())
