"""Temporal, API and workers as processes that a test kills and starts again."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bench.processes import PASSWORD, Processes, processes
from local.demo.runs import sign_in
from racine.client import Client
from services.bootstrap import ADMIN_EMAIL
from tests.local.stack import eventually

WORKERS = ("workflows", "activities")


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path, plain=False) as running:
        yield running


@pytest.fixture
def racine(parts: Processes) -> Iterator[Client]:
    client = sign_in(parts.api, ADMIN_EMAIL, PASSWORD)
    yield client
    client.close()


def wait_for_state(
    racine: Client, run_id: str, state: str = "completed", within: float = 120
) -> None:
    eventually(lambda: racine.run_detail(run_id)["state"] == state, f"{run_id} is {state}", within)


def ends_of_tasks(folder: Path, run_id: str) -> Counter[tuple[str, str]]:
    """Count the ends of a run's tasks by path and kind, from the rows and not the API."""
    engine = create_engine(f"sqlite:///{folder}/racine.db")
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT task_key, kind FROM run_events WHERE run_id = :run AND task_key != '' "
                "AND kind IN ('succeeded', 'failed', 'cancelled', 'excluded')"
            ),
            {"run": run_id},
        ).all()
    engine.dispose()
    return Counter((row[0], row[1]) for row in rows)
