"""Whose turn it is among the runs of a limited job, on both engines."""

import threading
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from models.session import Database
from models.stores import jobs, run_queue, runs
from models.tables.runs import Run
from models.tables.workspaces import Workspace
from racine.definitions.document import JobDocument
from racine.ids import new_id

LIMITED: dict[str, Any] = {
    "name": "nightly",
    "parameters": [{"name": "day"}],
    "max_concurrent_runs": 2,
    "tasks": [{"task_key": "a", "noop_task": {}}],
}


def save(db: Database, **changes: Any) -> str:
    with db.write() as session:
        if session.get(Workspace, "ws_1") is None:
            session.add(Workspace(id="ws_1", slug="main", title="Main"))
            session.flush()
        return jobs.save(session, "ws_1", LIMITED | changes, "usr_1").id


def enter(db: Database, job_id: str, **parameters: Any) -> tuple[str, bool]:
    run_id = new_id("run")
    with db.write() as session:
        job = jobs.get(session, job_id)
        document = jobs.get_version(session, job_id, job.version).document
        row = {
            "id": run_id, "workspace_id": "ws_1", "job_id": job_id, "job_version": job.version,
            "workflow_id": f"nightly/{run_id}", "actor": "usr_1", "parameters": parameters,
        }  # fmt: skip
        return run_id, run_queue.enter(session, JobDocument.model_validate(document), row)


def end(db: Database, run_id: str) -> list[str]:
    with db.write() as session:
        runs.finish(session, run_id, "completed", {}, None)
        return run_queue.hand_on(session, run_id)


def turn(db: Database, run_id: str) -> run_queue.Turn:
    with db.read() as session:
        return run_queue.turn(session, runs.get(session, run_id))


def test_one_run_too_many_waits_and_the_end_of_another_lets_it_begin(db: Database) -> None:
    job_id = save(db)
    (first, one), (second, two), (third, three), (fourth, _) = (enter(db, job_id) for _ in range(4))
    assert (one, two, three) == (True, True, False)
    found = turn(db, fourth)
    assert (found.position, found.reason) == (2, "2 runs of the job may go on at once.")
    assert found.holders == [first, second]
    assert end(db, second) == [third]
    assert turn(db, fourth).position == 1
    assert (end(db, first), end(db, third), end(db, fourth)) == ([fourth], [], [])


def test_priority_goes_before_age(db: Database) -> None:
    job_id = save(db, max_concurrent_runs=1)
    holder, _ = enter(db, job_id)
    patient, _ = enter(db, job_id)
    save(db, max_concurrent_runs=1, priority=1)
    urgent, _ = enter(db, job_id)
    assert (turn(db, urgent).position, turn(db, patient).position) == (1, 2)
    assert end(db, holder) == [urgent]


def test_runs_of_one_key_follow_one_another_and_let_others_pass(db: Database) -> None:
    job_id = save(db, concurrency_key="{{ params.day }}", max_concurrent_runs=3)
    monday, _ = enter(db, job_id, day="monday")
    again, begins = enter(db, job_id, day="monday")
    _, tuesday_begins = enter(db, job_id, day="tuesday")
    assert (begins, tuesday_begins) == (False, True)
    assert turn(db, again).reason == "One run of the key 'monday' may go on at once."
    assert turn(db, again).holders == [monday]
    assert end(db, monday) == [again]


def test_a_raised_limit_lets_all_begin_that_fit(db: Database) -> None:
    job_id = save(db, max_concurrent_runs=1)
    enter(db, job_id)
    waiting = [enter(db, job_id)[0] for _ in range(3)]
    save(db, max_concurrent_runs=3)
    with db.write() as session:
        assert run_queue.grant(session, job_id) == waiting[:2]


def test_a_run_leaves_the_queue_once_and_only_from_there(db: Database) -> None:
    job_id = save(db, max_concurrent_runs=1, queue={"timeout_seconds": 0.001})
    holder, _ = enter(db, job_id)
    late, _ = enter(db, job_id)
    with db.write() as session:
        (found,) = run_queue.overdue(session, datetime.now(UTC))
        assert found.id == late
        assert run_queue.leave(session, found, "timed_out", {"code": "queue_timeout"})
        assert not run_queue.leave(session, found, "cancelled", {})
        assert not run_queue.leave(session, runs.get(session, holder), "cancelled", {})
    assert end(db, holder) == []


def test_no_two_ends_or_beginnings_at_once_break_the_limit(db: Database) -> None:
    """Each thread records runs, ends those that begin, and hands their places on."""
    job_id = save(db, max_concurrent_runs=3)
    most: list[int] = []

    def work() -> None:
        for _ in range(10):
            run_id, begins = enter(db, job_id)
            open_ = [run_id] if begins else []
            while open_:
                with db.read() as session:
                    going = select(Run.id).where(Run.state == "scheduled")
                    most.append(len(session.scalars(going).all()))
                open_ = open_[1:] + end(db, open_[0])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        states = set(session.scalars(select(Run.state)))
    assert states == {"completed"}
    assert max(most) <= 3
