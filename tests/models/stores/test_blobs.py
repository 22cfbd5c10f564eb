"""Large values by content, and when they go, on both engines."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from models.messages import RunContext
from models.session import Database
from models.stores import blobs, runs
from models.tables.blobs import Blob
from racine.errors import NotFound
from services.blobs import Duty
from tests.models.stores.test_runs import make_run

MONTH = timedelta(days=30)


def of(run_id: str) -> RunContext:
    return RunContext(run_id=run_id, workspace_id="ws_1", actor="usr_1")


def put(db: Database, run_id: str, content: bytes) -> str:
    with db.write() as session:
        return blobs.put(session, of(run_id), content)


def age(db: Database, by: timedelta) -> None:
    """Make everything that is kept older."""
    with db.write() as session:
        session.execute(update(Blob).values(written_at=datetime.now(UTC) - by))


def is_there(db: Database, ref: str) -> bool:
    with db.read() as session:
        try:
            return blobs.get(session, "ws_1", ref).content != b""
        except NotFound:
            return False


@pytest.fixture
def two_runs(db: Database) -> None:
    with db.write() as session:
        make_run(session, "run_1")
        make_run(session, "run_2", state="completed", ended_at=datetime.now(UTC) - 2 * MONTH)


@pytest.mark.usefixtures("two_runs")
def test_what_no_run_refers_to_goes_and_the_rest_stays(db: Database) -> None:
    shared, old = put(db, "run_1", b"shared"), put(db, "run_2", b"old")
    assert put(db, "run_2", b"shared") == shared
    lost = put(db, "run_gone", b"of a run that is no more")
    assert Duty(db, MONTH).purge() == 0
    age(db, timedelta(hours=2))
    fresh = put(db, "run_gone", b"written just now")
    assert Duty(db, MONTH).purge() == 2
    assert [is_there(db, ref) for ref in (shared, old, lost, fresh)] == [True, False, False, True]


@pytest.mark.usefixtures("two_runs")
def test_a_run_s_values_are_kept_for_as_long_as_is_set(db: Database) -> None:
    ref = put(db, "run_2", b"value")
    age(db, timedelta(hours=2))
    assert Duty(db, 3 * MONTH).purge() == 0
    assert is_there(db, ref)
    with db.write() as session:
        runs.finish(session, "run_1", "completed", {}, None)
    assert Duty(db, MONTH).purge() == 1


@pytest.mark.usefixtures("two_runs")
def test_what_is_written_while_a_purge_goes_on_is_there_afterwards(db: Database) -> None:
    refs: list[str] = []

    def write() -> None:
        for n in range(40):
            refs.append(put(db, "run_1", f"value {n}".encode()))

    for n in range(40):
        put(db, "run_gone", f"value {n}".encode())
    age(db, timedelta(hours=2))
    with db.write() as session:
        blobs.forget_uses(session, datetime.now(UTC) - MONTH)
    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        with db.write() as session:
            blobs.purge(session, datetime.now(UTC) - timedelta(hours=1), limit=5)
    writing.join()
    assert len(refs) == 40
    assert all(is_there(db, ref) for ref in refs)
