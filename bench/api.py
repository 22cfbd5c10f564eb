"""What the API process costs: `uv run python -m bench.api`; the last line is JSON.

Starts the real process over a fresh SQLite database without Temporal, seeds 1,000 runs, and
measures resident memory idle and after 10,000 requests, and the latency of the list of runs: of
one request for the largest page, and of reading all five pages one after the other.
"""

import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from local.stack.parts import MALLOC
from models.schema import upgrade
from models.session import Database
from models.stores import jobs, runs, workspaces
from racine.engine.states import RunState
from racine.ids import new_id

ROOT = Path(__file__).resolve().parent.parent
RUNS = 1_000
REQUESTS = 10_000
CLIENTS = 8
LISTS = 300
PAGE = 200


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="racine-bench-") as folder:
        db = Database(f"sqlite:///{folder}/racine.db")
        upgrade(db)
        password = secrets.token_urlsafe(16)
        with serving(db.url, Path(folder), password) as (process, url):
            idle = _resident(process)
            print(f"idle: {idle:.0f} MB")
            job_id = _seed(db)
            headers = signed_in(url, password)
            listed = _list_all(url, headers, job_id)
            pages = latencies(
                url, headers, f"/api/racine/workflows/{job_id}/executions?limit={PAGE}"
            )
            requests = _load(url, headers)
            after = _resident(process)
        db.close()
    result = {
        "bench": "api",
        "rss_idle_mb": round(idle, 1),
        "rss_after_requests_mb": round(after, 1),
        "requests": REQUESTS,
        "requests_per_second": round(requests, 1),
        "runs": listed["runs"],
        "list_1000_runs_p95_ms": percentile(pages, 95),
        "all_five_pages_p50_ms": listed["p50"],
        "all_five_pages_p95_ms": listed["p95"],
        "limits": {"rss_idle_mb": 130, "list_1000_runs_p95_ms": 100},
    }
    print(json.dumps(result))


@contextmanager
def serving(database_url: str, folder: Path, password: str) -> Iterator[tuple[psutil.Process, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = (
        os.environ
        | MALLOC
        | {
            "RACINE_DATABASE_URL": database_url,
            "RACINE_DATA_DIR": str(folder / "data"),
            "RACINE_TEMPORAL_ADDRESS": "127.0.0.1:1",
            "RACINE_ADMIN_PASSWORD": password,
            "RACINE_LOG_LEVEL": "warning",
        }
    )
    command = [
        sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app", "--host", "127.0.0.1",
        "--port", str(port), "--no-access-log",
    ]  # fmt: skip
    with (folder / "api.log").open("w") as log:
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_prepared(url, password)
            yield psutil.Process(child.pid), url
        finally:
            child.terminate()
            child.wait(timeout=30)


def _wait_until_prepared(url: str, password: str) -> None:
    deadline = time.monotonic() + 60
    with httpx.Client(base_url=url) as client:
        while time.monotonic() < deadline:
            try:
                parts = {p["name"]: p["ok"] for p in client.get("/readyz").json()["parts"]}
                if parts["database"] and parts["migrations"]:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise SystemExit("The API did not start within 60 s.")


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1024 / 1024


def _seed(db: Database) -> str:
    document = {
        "spec_version": "1",
        "name": "seeded",
        "tasks": [{"task_key": "a", "noop_task": {}}],
    }
    with db.write() as session:
        workspace = workspaces.get(session, "main")
        job = jobs.save(session, workspace.id, document, "usr_system")
        session.flush()
        for _ in range(RUNS):
            run_id = new_id("run")
            runs.insert(
                session, id=run_id, workspace_id=workspace.id, job_id=job.id, job_version=1,
                workflow_id=f"seeded/{run_id}", actor="usr_system", parameters={},
                state=RunState.COMPLETED, started=True,
            )  # fmt: skip
        return job.id


def signed_in(url: str, password: str) -> dict[str, str]:
    body = {"email": "admin@racine.local", "password": password}
    deadline = time.monotonic() + 30
    while True:
        answer = httpx.post(f"{url}/api/auth/login", json=body)
        if answer.is_success or time.monotonic() > deadline:
            answer.raise_for_status()
            return {"Authorization": f"Bearer {answer.json()['access_token']}"}
        time.sleep(0.5)


def _list_all(url: str, headers: dict[str, str], job_id: str) -> dict[str, float]:
    """Time the listing of all runs, page after page, as a client that wants every one does."""
    path = f"/api/racine/workflows/{job_id}/executions"
    taken, seen = [], 0
    with httpx.Client(base_url=url, headers=headers) as client:
        for _ in range(LISTS // 5):
            began, cursor, seen = time.perf_counter(), None, 0
            while True:
                params = {"limit": str(PAGE)} | ({"cursor": cursor} if cursor else {})
                page = client.get(path, params=params).raise_for_status().json()
                seen += len(page["items"])
                cursor = page["next_cursor"]
                if cursor is None:
                    break
            taken.append((time.perf_counter() - began) * 1000)
    return {"runs": seen, "p50": percentile(taken, 50), "p95": percentile(taken, 95)}


def latencies(url: str, headers: dict[str, str], path: str, count: int = LISTS) -> list[float]:
    """Return how many milliseconds each of so many requests took, answer read to its end."""
    taken = []
    with httpx.Client(base_url=url, headers=headers) as client:
        for _ in range(count):
            began = time.perf_counter()
            client.get(path).raise_for_status()
            taken.append((time.perf_counter() - began) * 1000)
    return taken


def _load(url: str, headers: dict[str, str]) -> float:
    """Send a mix of reads and writes from several clients; return requests a second."""

    def some(worker: int) -> None:
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            for n in range(REQUESTS // CLIENTS):
                if n % 10 == 0:
                    body = {"name": f"r{worker}_{n}", "permissions": ["catalog:read"]}
                    client.post("/api/rbac/roles", json=body).raise_for_status()
                else:
                    client.get("/api/racine/activities?limit=20").raise_for_status()

    began = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(some, range(CLIENTS)))
    return REQUESTS / (time.perf_counter() - began)


def percentile(taken: list[float], percent: int) -> float:
    return round(statistics.quantiles(taken, n=100)[percent - 1], 1)


if __name__ == "__main__":
    main()
