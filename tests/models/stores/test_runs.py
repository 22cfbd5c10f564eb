"""The index of runs and its log, on both engines."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from models.session import Database
from models.stores import controls, jobs, runs
from models.tables.workspaces import Workspace
from racine.errors import NotFound

DOCUMENT = {"name": "nightly", "tasks": [{"task_key": "a", "noop_task": {}}]}


def make_run(session: Session, run_id: str, **values: object) -> None:
    if session.get(Workspace, "ws_1") is None:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
        session.flush()
    job = jobs.save(session, "ws_1", DOCUMENT, "usr_1")
    row = {
        "id": run_id,
        "workspace_id": "ws_1",
        "job_id": job.id,
        "job_version": 1,
        "workflow_id": f"nightly/{run_id}",
        "actor": "usr_1",
        "state": "scheduled",
    }
    runs.insert(session, **(row | values))
    session.flush()


def test_a_version_is_made_only_by_another_meaning_or_layout(db: Database) -> None:
    with db.write() as session:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
        session.flush()
        assert jobs.save(session, "ws_1", DOCUMENT, "usr_1").version == 1
        assert jobs.save(session, "ws_1", dict(DOCUMENT), "usr_1").version == 1
        moved = jobs.save(session, "ws_1", DOCUMENT | {"ui": {"x": 1}}, "usr_1")
        assert moved.version == 2
        first, second = (jobs.get_version(session, moved.id, n) for n in (1, 2))
        assert first.content_hash == second.content_hash
        listed = jobs.versions(session, moved.id, limit=1, cursor=None)
        assert [v.number for v in listed.items] == [2]
        rest = jobs.versions(session, moved.id, limit=1, cursor=listed.next_cursor)
        assert [v.number for v in rest.items] == [1]
        with pytest.raises(NotFound):
            jobs.get_version(session, moved.id, 3)


def test_an_ended_run_stays_as_it_ended(db: Database) -> None:
    with db.write() as session:
        make_run(session, "run_1")
        runs.finish(session, "run_1", "completed", {"rows": 1}, None)
        runs.mark_started(session, {"run_1": datetime.now(UTC)})
        runs.set_state(session, "run_1", "paused")
    with db.read() as session:
        run = runs.get(session, "run_1")
    assert (run.state, run.outputs) == ("completed", {"rows": 1})
    assert run.started_at == run.ended_at


def test_many_runs_are_noted_as_begun_at_once_each_since_its_own_moment(db: Database) -> None:
    moments = {f"run_{n}": datetime(2026, 1, 1, 0, 0, n, tzinfo=UTC) for n in range(3)}
    with db.write() as session:
        for run_id in moments:
            make_run(session, run_id)
        runs.mark_started(session, moments)
    with db.write() as session:
        runs.mark_started(session, dict.fromkeys(moments, datetime.now(UTC)))
    with db.read() as session:
        found = [runs.get(session, run_id) for run_id in moments]
    assert {run.id: run.started_at for run in found} == moments
    assert {run.state for run in found} == {"running"}


def test_the_sweeper_sees_what_was_never_started(db: Database) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    with db.write() as session:
        make_run(session, "run_1")
        make_run(session, "run_2")
        runs.mark_started(session, {"run_2": datetime.now(UTC)})
        assert [run.id for run in runs.unstarted(session, soon)] == ["run_1"]
        assert runs.unstarted(session, soon - timedelta(minutes=1)) == []
        assert [run.id for run in runs.open_after(session, "", 10)] == ["run_2"]
        assert [run.id for run in runs.open_among(session, ["nightly/run_2", "x"])] == ["run_2"]


def test_events_written_twice_are_one(db: Database) -> None:
    batch = [
        {"run_id": "run_1", "task_key": "a", "attempt": 1, "n": n, "kind": "started"}
        for n in range(3)
    ]
    with db.write() as session:
        make_run(session, "run_1")
        runs.add_events(session, batch)
        runs.add_events(session, batch)
        assert len(runs.events_after(session, "run_1", 0)) == 3


def test_a_reader_that_follows_ids_misses_no_event(db: Database) -> None:
    """Writers in parallel; the reader takes only what is after the last id it saw."""
    writers, batches = 4, 25
    with db.write() as session:
        make_run(session, "run_1")
    open_writers = threading.Semaphore(0)

    def write(writer: int) -> None:
        for n in range(batches):
            event = {"run_id": "run_1", "task_key": f"t{writer}", "attempt": 1, "n": n}
            with db.write() as session:
                runs.add_events(session, [event | {"kind": "log"}])
        open_writers.release()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    ended = 0
    while ended < writers or len(seen) < writers * batches:
        with db.read() as session:
            found = runs.events_after(session, "run_1", seen[-1] if seen else 0)
        seen += [event.id for event in found]
        if open_writers.acquire(blocking=False):
            ended += 1
        elif not found and ended == writers:
            break
    for thread in threads:
        thread.join()
    assert len(seen) == writers * batches


def test_an_order_is_recorded_once_and_settled_once(db: Database) -> None:
    with db.write() as session:
        make_run(session, "run_1")
        made, new = controls.record(session, "run_1", "req-1", "pause", {}, "usr_1")
        again, repeated = controls.record(session, "run_1", "req-1", "pause", {}, "usr_1")
        assert (new, repeated, made.id) == (True, False, again.id)
        assert [order.id for order in controls.pending(session)] == [made.id]
        controls.settle(session, made.id, controls.APPLIED, {"state": "paused"})
        controls.settle(session, made.id, controls.REFUSED, {})
        session.refresh(made)
        assert (made.state, made.answer) == ("applied", {"state": "paused"})
        assert controls.pending(session) == []
