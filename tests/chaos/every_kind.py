"""One job with a task of every kind, each of them at work for as long as a test holds it."""

import http.server
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from racine.client import Client

Json = dict[str, Any]

TOLD = 150
"""Iterations of the loops over tasks that are too short to be held."""
COUNTED = 6_000_000
_LONG = f"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {COUNTED})"
_COUNT = f"{_LONG} SELECT count(*) AS n FROM t"
_FILL = f"INSERT OR IGNORE INTO kept {_LONG} SELECT n FROM t WHERE n % 1000 = 0"

HELD = ("python", "request", "again[0].step", "rows", "fill")
"""Tasks of the job that have begun, and have not ended, before a test kills anything."""
QUICK = ("gates", "notes")


def task(key: str, kind: str, spec: Json, *upstream: str, **more: Any) -> Json:
    return {
        "task_key": key, kind: spec, "depends_on": [{"task_key": up} for up in upstream],
        "retry_policy": {"maximum_attempts": 20, "maximum_interval_seconds": 2},
        "heartbeat_timeout_seconds": 10, **more,
    }  # fmt: skip


def plain(key: str, kind: str, spec: Json, *upstream: str, **more: Any) -> Json:
    """Return a task that is no attempt of anything."""
    return {"task_key": key, kind: spec, "depends_on": [{"task_key": up} for up in upstream],
            **more}  # fmt: skip


def held(key: str, *upstream: str) -> Json:
    """Return a task that rests until the run's gate is there."""
    given = {"callable": "tests.chaos.slow_code:hold", "parameters": {"until": "{{ params.gate }}"}}
    return task(key, "python_task", given, *upstream)


def _loop(key: str, body: Json) -> Json:
    inputs = {"inputs": list(range(TOLD)), "concurrency": 4, "tasks": [body]}
    return plain(key, "for_each_task", inputs, "scan", "begin")


def _operation(key: str, name: str, given: Json, *upstream: str) -> Json:
    return task(key, "operation_task", {"operation": name, "input": given}, *upstream)


def inner() -> Json:
    return {"name": "inner", "parameters": [{"name": "gate"}], "tasks": [held("step")]}


def every_kind() -> Json:
    """Return the job; `gate` is a file that lets it go on, `url` a server that may wait too."""
    scan = "{{ tasks.discover.values.scan_id }}"
    check = {"asset": "orders", "metric": "ROW_COUNT", "op": "LESS_THAN", "value": 100}
    gate = {"gate": "{{ params.gate }}"}
    source = {"source_id": "{{ params.source }}"}
    numbers = {"type": "object", "properties": {"n": {"type": "integer"}}}
    tasks = [
        held("python"),
        plain("told", "condition_task", {"expression": "tasks.python.values.held"}, "python"),
        plain("way", "switch_task", {"on": "{{ params.way }}", "cases": ["left", "right"]}),
        plain("taken", "noop_task", {}, depends_on=[{"task_key": "way", "outcome": "right"}]),
        plain("each", "for_each_task", {"inputs": [1, 2, 3], "tasks": [held("held")]}),
        plain("again", "while_task", {"condition": "iteration < 1", "tasks": [held("step")]}),
        plain("child", "run_job_task", {"job": "inner", "job_parameters": gate}),
        plain("aside", "run_job_task", {"job": "inner", "job_parameters": gate, "wait": False}),
        plain("nap", "wait_task", {"duration_seconds": 8}),
        plain("begin", "wait_task", {"signal": "begin"}),
        plain("word", "wait_task", {"signal": "word"}),
        plain("ask", "approval_task", {"self_approval": True}),
        task("rows", "sql_task", {"source": "shop", "statement": _COUNT}, outputs=numbers),
        task("fill", "sql_task", {"source": "ledger", "statement": _FILL, "write": True}),
        task("request", "http_task", {"url": "{{ params.url }}", "timeout_seconds": 600}),
        _operation("test", "data_sources.test", source),
        _operation("discover", "data_sources.discover", source, "test"),
        _operation("scan", "scan_logic.scan", {"scan_id": scan}, "discover"),
        _loop("gates", task("gate", "quality_task", {"source": "shop", "checks": [check]})),
        _loop("notes", task("note", "notify_task", {"subject": "note {{ item }}"})),
    ]
    names = ("gate", "url", "source", "way")
    return {"name": "every_kind", "parameters": [{"name": name} for name in names],
            "outputs": {"n": "{{ tasks.rows.values.n }}"}, "tasks": tasks}  # fmt: skip


def paths() -> set[str]:
    """Return the paths of all tasks that a run of the job ends well."""
    quick = {f"{loop}[{n}].{loop[:-1]}" for loop in QUICK for n in range(TOLD)}
    held = {*(f"each[{n}].held" for n in range(3)), *(f"again[{n}].step" for n in range(2))}
    return {step["task_key"] for step in every_kind()["tasks"]} | quick | held


def register(racine: Client, folder: Path) -> str:
    """Make and register the two sources; return the id of the one that is read."""
    for name, table in (("shop", "orders (id INTEGER)"), ("ledger", "kept (n INTEGER UNIQUE)")):
        with sqlite3.connect(folder / f"{name}.db") as db:
            db.execute(f"CREATE TABLE {table}")
        db.close()
    made = [
        racine.post("/api/data-sources",
                    {"name": name, "kind": "sqlite", "location": str(folder / f"{name}.db")})
        for name in ("shop", "ledger")
    ]  # fmt: skip
    return str(made[0]["id"])


def kept(folder: Path) -> int:
    with sqlite3.connect(folder / "ledger.db") as db:
        (count,) = db.execute("SELECT count(*) FROM kept").fetchone()
    db.close()
    return int(count)


@contextmanager
def slow_server(gate: Path) -> Iterator[str]:
    """Serve answers that begin once the gate is there; yield the address."""
    over = threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            while not (gate.exists() or over.wait(0.05)):
                pass
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()
