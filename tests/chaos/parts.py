"""Temporal, API and workers as processes that a test kills and starts again."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bench.processes import PASSWORD, Processes, processes
from local.demo.runs import sign_in
from racine.client import Client
from racine.engine.states import ATTEMPTS_PER_TRY
from services.bootstrap import ADMIN_EMAIL
from tests.eventually import eventually

WORKERS = ("workflows", "activities")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    """Run all parts; their http tasks may reach this machine."""
    monkeypatch.setenv("RACINE_REQUEST_HOSTS", '["127.0.0.1"]')
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
    """Count the ends of a run's tasks by path and kind, from the rows and not the API.

    An attempt whose worker dies before Temporal hears of its end is made again, and both tell of
    theirs: attempts of one try count once.
    """
    ends = _told(folder, run_id, "kind IN ('succeeded', 'failed', 'cancelled', 'excluded')")
    return Counter((path, kind) for path, kind, _ in ends)


def at_work(folder: Path, run_id: str) -> set[str]:
    """Return the paths of the run's tasks that have begun and not ended."""
    begun = {path for path, *_ in _told(folder, run_id, "kind = 'started'")}
    return begun - {path for path, _ in ends_of_tasks(folder, run_id)}


def _told(folder: Path, run_id: str, which: str) -> set[tuple[str, str, int]]:
    """Return path, kind and try of the events of a run's tasks."""
    engine = create_engine(f"sqlite:///{folder}/racine.db")
    query = f"SELECT task_key, kind, attempt FROM run_events WHERE run_id = :run AND {which}"
    with engine.connect() as connection:
        rows = connection.execute(text(query), {"run": run_id}).all()
    engine.dispose()
    return {(path, kind, (attempt - 1) // ATTEMPTS_PER_TRY) for path, kind, attempt in rows if path}
