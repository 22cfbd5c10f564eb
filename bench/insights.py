"""What looking at runs costs: `uv run python -m bench.insights`; the last line is JSON.

A job of 1,000 tasks with 100 ended runs and 10,000 open ones, on SQLite and on PostgreSQL: the
matrix of runs and tasks, the graph of one run with its 2,000 events, and the list of runs, each by
one request of a real API process, answer read to its end. Beside each wall time stands the API's
processor time, which holds on a busy machine too.
"""

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.api import latencies, percentile, serving, signed_in
from models.schema import upgrade
from models.session import Database
from models.stores import jobs, runs, summaries, workspaces
from racine.engine.states import RunState
from racine.ids import new_id
from tests.postgres import postgres

TASKS, ENDED, OPEN = 1_000, 100, 10_000
_ASKED = 50
LIMITS = {"matrix_p95_ms": 200, "graph_p95_ms": 200, "list_p95_ms": 500}


def main() -> None:
    result: dict[str, Any] = {"bench": "insights", "limits": LIMITS}
    for engine, url in _databases():
        result[engine] = _measured(url)
        print(engine, result[engine], flush=True)
    print(json.dumps(result))


def _databases() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="racine-bench-") as folder:
        yield "sqlite", f"sqlite:///{folder}/racine.db"
    with postgres() as url:
        yield "postgresql", url


def _measured(url: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="racine-bench-") as folder, _opened(url) as db:
        password = secrets.token_urlsafe(16)
        with serving(url, Path(folder), password) as (process, address):
            job_id, run_id = _seed(db)
            headers = signed_in(address, password)
            base = "/api/racine/workflows"
            paths = {
                "matrix": f"{base}/{job_id}/matrix?runs={ENDED}",
                "graph": f"{base}/executions/{run_id}/graph",
                "list": f"{base}/executions?limit=200",
            }
            figures = {}
            for name, path in paths.items():
                before = process.cpu_times()
                taken = latencies(address, headers, path, _ASKED)
                after = process.cpu_times()
                spent = after.user + after.system - before.user - before.system
                figures[f"{name}_p95_ms"] = percentile(taken, 95)
                figures[f"{name}_cpu_ms"] = round(spent / _ASKED * 1000, 1)
            return figures


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    db = Database(url)
    upgrade(db)
    yield db
    db.close()


def _seed(db: Database) -> tuple[str, str]:
    """Write the job and its runs; return the job and one of the ended runs."""
    noop = {"operation": "racine.noop", "input": {"value": 1}}
    tasks = [{"task_key": f"t{n}", "operation_task": noop} for n in range(TASKS)]
    with db.write() as session:
        workspace = workspaces.get(session, "main")
        wide = jobs.save(session, workspace.id, {"name": "wide", "tasks": tasks}, "usr_system")
        open_ = jobs.save(session, workspace.id, {"name": "open", "tasks": tasks[:1]}, "usr_system")
        session.flush()
        for _ in range(OPEN):
            _run(session, workspace.id, open_.id, RunState.RUNNING)
        ended = [_run(session, workspace.id, wide.id, RunState.COMPLETED) for _ in range(ENDED)]
        session.flush()
        for run_id in ended:
            values = {"states": "s" * TASKS, "starts": list(range(TASKS)),
                      "durations": [7] * TASKS, "attempts": [1] * TASKS,
                      "failures": []}  # fmt: skip
            summaries.put(session, run_id, values)
        runs.add_events(session, list(_events(ended[0])))
    return wide.id, ended[0]


def _run(session: Any, workspace_id: str, job_id: str, state: RunState) -> str:
    run_id = new_id("run")
    ended_at = datetime.now(UTC) if state is RunState.COMPLETED else None
    runs.insert(
        session, id=run_id, workspace_id=workspace_id, job_id=job_id, job_version=1,
        workflow_id=f"seeded/{run_id}", actor="usr_system", parameters={}, state=state,
        started=True, ended_at=ended_at,
    )  # fmt: skip
    return run_id


def _events(run_id: str) -> Iterator[dict[str, Any]]:
    began = datetime.now(UTC) - timedelta(hours=1)
    for place in range(TASKS):
        for n, kind in enumerate(("started", "succeeded")):
            at = began + timedelta(milliseconds=10 * place + 7 * n)
            yield {"run_id": run_id, "task_key": f"t{place}", "attempt": 1, "n": n,
                   "kind": kind, "at": at}  # fmt: skip


if __name__ == "__main__":
    main()
