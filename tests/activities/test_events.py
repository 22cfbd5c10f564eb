"""The log of runs loses nothing when its writer is killed or its database is away."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from activities.events import EventSink
from models.session import Database
from models.stores import jobs, runs, workspaces
from models.tables.runs import RunEvent
from racine.engine.states import RunState
from tests.eventually import eventually
from tests.local.stack import ROOT

_DYING = """
import os, signal, sys
from pathlib import Path
from activities.events import EventSink
from models.session import Database
sink = EventSink(Database(sys.argv[1]), Path(sys.argv[2]))
for n in range(3):
    sink.put(run_id=sys.argv[3], task_key="a", n=n, kind="line", body={"n": n})
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def run_id(sqlite_db: Database) -> str:
    with sqlite_db.write() as session:
        workspace = workspaces.add(session, slug="main", title="Main")
        document = {"name": "noted", "tasks": [{"task_key": "a", "noop_task": {}}]}
        job = jobs.save(session, workspace.id, document, "usr_system")
        session.flush()
        runs.insert(
            session, id="run_1", workspace_id=workspace.id, job_id=job.id, job_version=1,
            workflow_id="noted/run_1", actor="usr_system", parameters={}, state=RunState.RUNNING,
        )  # fmt: skip
    return "run_1"


def _places(db: Database) -> list[int]:
    with db.read() as session:
        return list(session.scalars(select(RunEvent.n).order_by(RunEvent.n)))


def test_what_a_killed_process_had_taken_is_written_by_the_next(
    sqlite_db: Database, run_id: str, tmp_path: Path
) -> None:
    spool, holder = tmp_path / "spool", sqlite3.connect(tmp_path / "racine.db")
    holder.execute("BEGIN IMMEDIATE")  # so that the process cannot write before it dies
    died = subprocess.run(
        [sys.executable, "-c", _DYING, sqlite_db.url, str(spool), run_id],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=60, check=False,
    )  # fmt: skip
    holder.rollback()
    holder.close()
    assert died.returncode == -signal.SIGKILL
    assert _places(sqlite_db) == []

    for _ in range(2):
        EventSink(sqlite_db, spool).close()

    assert _places(sqlite_db) == [0, 1, 2]
    assert list(spool.iterdir()) == []


def test_events_wait_for_a_database_that_is_away(
    sqlite_db: Database, run_id: str, tmp_path: Path
) -> None:
    sink = EventSink(sqlite_db, tmp_path / "spool")
    with sqlite3.connect(tmp_path / "racine.db") as other:
        other.execute("ALTER TABLE run_events RENAME TO away")
    sink.put(run_id=run_id, task_key="a", n=7, kind="line", body={})
    (file,) = (tmp_path / "spool").iterdir()
    eventually(lambda: file.stat().st_size > 0, "the event is on disk")
    with sqlite3.connect(tmp_path / "racine.db") as other:
        other.execute("ALTER TABLE away RENAME TO run_events")
    eventually(lambda: _places(sqlite_db) == [7], "the event is written")
    eventually(lambda: file.stat().st_size == 0, "the spool is empty")
    sink.close()


def test_a_run_that_is_gone_takes_no_other_along(
    sqlite_db: Database, run_id: str, tmp_path: Path
) -> None:
    sink = EventSink(sqlite_db, tmp_path / "spool")
    sink.put(run_id="run_gone", task_key="a", n=1, kind="line", body={})
    sink.put(run_id=run_id, task_key="a", n=2, kind="line", body={})
    sink.close()
    assert _places(sqlite_db) == [2]
