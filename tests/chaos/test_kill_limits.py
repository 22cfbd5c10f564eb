"""Whatever is killed while runs wait for their turn and tasks for their slots: none is leaked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from local.demo.runs import sign_in
from models.session import Database
from models.tables.pools import PoolLease
from models.tables.runs import Run
from racine.client import Client
from services.bootstrap import ADMIN_EMAIL
from tests.eventually import eventually
from tests.local.stack import ROOT, DevStack, dev_stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]

RUNS = 8
TASKS = 10

PARTS = {
    "the activity worker": (str(ROOT / "worker.py"), "activities"),
    "the workflow worker": (str(ROOT / "worker.py"), "workflows"),
    "Temporal": ("server", "start-dev"),
    "the API": ("api.app:create_app",),
}


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/state/racine.db")
    yield database
    database.close()


def job() -> dict[str, Any]:
    noop = {"operation": "racine.noop", "input": {"value": 1}}
    tasks = [{"task_key": f"t{n}", "operation_task": noop, "pool": "shared"} for n in range(TASKS)]
    return {"name": "shares", "max_concurrent_runs": 3, "tasks": tasks}


def states(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(Run.state)))


def leases(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(PoolLease)) or 0


def ended(db: Database) -> int:
    return sum(state == "completed" for state in states(db))


@pytest.mark.parametrize("part", PARTS)
def test_a_kill_leaks_neither_turns_nor_slots(tmp_path: Path, db: Database, part: str) -> None:
    with dev_stack(tmp_path / "state") as stack, _signed_in(stack) as racine:
        racine.set_pool("shared", {"slots": 1})
        racine.apply(job())
        for _ in range(RUNS):
            racine.run("shares")
        assert states(db).count("queued") >= 1
        eventually(lambda: leases(db) > 1, "tasks wait for the pool", 60)
        stack.part(*PARTS[part]).kill()
        eventually(lambda: ended(db) == RUNS, "all runs complete", 300)
        eventually(lambda: leases(db) == 0, "all slots are given back", 30)
    assert states(db) == ["completed"] * RUNS


def _signed_in(stack: DevStack) -> Client:
    password = stack.state.password_file.read_text().strip()
    return sign_in(stack.running.api, ADMIN_EMAIL, password)
