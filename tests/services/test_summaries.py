"""Views of runs, on both engines, over logs as the workers write them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event as engine_event
from sqlalchemy.orm import Session

from models.session import Database
from models.stores import jobs, runs
from models.stores import summaries as summary_store
from models.tables.workspaces import Workspace
from services import summaries, waiting
from services.access import system
from services.status import PendingTask

BEGAN = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
ME = system("ws_1")


def diamond() -> dict[str, Any]:
    noop = {"operation": "racine.noop", "input": {}}
    edges: dict[str, list[str]] = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    return {
        "name": "diamond",
        "tasks": [
            {"task_key": key, "operation_task": noop, "depends_on": [{"task_key": u} for u in up]}
            for key, up in edges.items()
        ],
    }


def make_job(session: Session, document: dict[str, Any]) -> str:
    if session.get(Workspace, "ws_1") is None:
        session.add(Workspace(id="ws_1", slug="main", title="Main"))
        session.flush()
    return jobs.save(session, "ws_1", document, "usr_1").id


def make_run(session: Session, job_id: str, run_id: str, state: str, **more: Any) -> None:
    runs.insert(
        session, id=run_id, workspace_id="ws_1", job_id=job_id, job_version=1, actor="usr_1",
        workflow_id=run_id, state=state, started=True, created_at=BEGAN, **more,
    )  # fmt: skip
    session.flush()


def event(run_id: str, key: str, kind: str, second: int, attempt: int = 1, **body: Any) -> Any:
    n = 0 if kind == "started" else 1
    at = BEGAN + timedelta(seconds=second)
    return {"run_id": run_id, "task_key": key, "kind": kind, "attempt": attempt, "n": n, "at": at,
            "body": body}  # fmt: skip


LOG = [
    event("run_1", "a", "started", 1),
    event("run_1", "a", "succeeded", 3),
    event("run_1", "b", "started", 3),
    event("run_1", "c", "started", 3),
    event("run_1", "b", "succeeded", 4),
    event("run_1", "c", "failed", 5, code="timeout", message="row 17 of 'orders' took 30 s"),
    event("run_1", "c", "started", 7, attempt=2),
]


def test_a_task_that_waits_says_for_what(db: Database) -> None:
    with db.write() as session:
        make_run(session, make_job(session, diamond()), "run_1", "running")
        runs.add_events(session, LOG)
        run, views = summaries.of_run(session, ME, "run_1")
        held = PendingTask("c", "racine.noop", "queued", 2)
        waiting.explain(run, views, waiting.Known(), waiting.Live({"c": held}))
    a, b, c, d = views
    assert [(s.attempt, s.state) for s in c.segments] == [(1, "failed"), (2, "running")]
    assert (a.started_at, a.ended_at) == (
        BEGAN + timedelta(seconds=1),
        BEGAN + timedelta(seconds=3),
    )
    assert [view.waiting for view in views] == [
        "", "", "No worker has taken it yet.", "It waits for c.",
    ]  # fmt: skip
    assert (b.state, c.state, d.state) == ("succeeded", "running", "pending")
    with db.write() as session:
        runs.set_state(session, "run_1", "paused")
        runs.add_events(session, [event("run_1", "c", "succeeded", 9, attempt=2)])
    with db.read() as session:
        run, views = summaries.of_run(session, ME, "run_1")
        waiting.explain(run, views, waiting.known(session, run), waiting.Live())
    assert views[3].waiting == "The run is paused."
    assert summaries.critical_path(views) == ["a", "c"]


def test_the_matrix_and_failures_are_of_summaries_once_runs_have_ended(db: Database) -> None:
    with db.write() as session:
        job_id = make_job(session, diamond())
        make_run(session, job_id, "run_1", "failed", ended_at=BEGAN)
        failed = {"code": "timeout", "message": "row 4 of 'people' took 31 s"}
        end = event("run_1", "c", "failed", 9, attempt=2, **failed)
        skipped = event("run_1", "d", "skipped", 9, attempt=0)
        runs.add_events(session, [*LOG, end, skipped])
        before = summaries.matrix(session, ME, job_id, 10)
    asyncio.run(summaries.Duty(db)())
    with db.read() as session:
        keys, (row,) = summaries.matrix(session, ME, job_id, 10)
        groups = summaries.failures(session, ME, job_id, 10)
    assert keys == {1: ["a", "b", "c", "d"]}
    assert (row.states, row.starts, row.durations, row.attempts) == (
        "ssfk", [0, 2000, 2000, None], [2000, 1000, 6000, None], [1, 1, 2, 0],
    )  # fmt: skip
    assert (before[1][0].states, before[1][0].durations) == (row.states, row.durations)
    assert [(g.task_key, g.code, g.run_ids) for g in groups] == [("c", "timeout", ["run_1"])]


def test_failures_that_differ_in_numbers_and_names_are_one() -> None:
    said = "row {} of '{}' took {} s in /tmp/{}/x (run_01m7ydzjjn6xhckhnc5v9x2gjj)"
    first = summaries.fingerprint("c", "timeout", said.format(1, "orders", 30, "a"))
    assert summaries.fingerprint("c", "timeout", said.format(2, "people", 31, "b")) == first
    assert summaries.fingerprint("c", "refused", said.format(1, "orders", 30, "a")) != first
    assert summaries.fingerprint("d", "timeout", said.format(1, "orders", 30, "a")) != first


def test_a_thousand_tasks_by_a_hundred_runs(sqlite_db: Database) -> None:
    """A few statements, however many tasks and runs: `bench.insights` measures the time."""
    noop = {"operation": "racine.noop"}
    tasks = [{"task_key": f"t{n}", "operation_task": noop} for n in range(1000)]
    with sqlite_db.write() as session:
        job_id = make_job(session, {"name": "wide", "tasks": tasks})
        for number in range(100):
            make_run(session, job_id, f"run_{number}", "completed", ended_at=BEGAN)
            states = {"states": "s" * 1000, "starts": list(range(1000)),
                      "durations": [5] * 1000, "attempts": [1] * 1000, "failures": []}  # fmt: skip
            summary_store.put(session, f"run_{number}", states)
    asked: list[str] = []
    with sqlite_db.read() as session:
        engine_event.listen(
            session.get_bind(), "before_cursor_execute", lambda *to: asked.append(to[2])
        )
        keys, rows = summaries.matrix(session, ME, job_id, 100)
    assert (len(keys[1]), len(rows), len(rows[0].starts)) == (1000, 100, 1000)
    assert len(asked) <= 5
