"""Every example runs: here without a server, and for real on Temporal with real workers."""

import http.server
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from temporalio.client import WorkflowFailureError

from examples.fan_out import fan_out
from examples.order_watch import order_watch
from examples.source_check import source_check
from examples.word_count import word_count
from models.stores import notifications
from racine import templates
from tests.temporal.conftest import Stack

ROOT = Path(__file__).resolve().parents[2]


def shop(folder: Path) -> Path:
    path = folder / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (id INTEGER, contact TEXT)")
        connection.execute("CREATE TABLE orders (id INTEGER, total REAL)")
    return path


def run(stack: Stack, document: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    run_id = stack.start(stack.save(document), **parameters)
    result = stack.result(run_id)
    assert result.state == "completed", result.error
    return result.outputs


def test_hello(stack: Stack) -> None:
    document = json.loads((ROOT / "examples/hello.json").read_text())
    assert run(stack, document, name="Ada") == {"greeting": "Hello Ada"}


def test_word_count(stack: Stack, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("to be or not to be")
    expected = {"total": 6, "longest": "not"}
    assert word_count.test({"path": str(text)}).outputs == expected
    assert run(stack, word_count.document, path=str(text)) == expected


def test_fan_out(stack: Stack) -> None:
    assert fan_out.test({"base": 1}).outputs == {"total": 10}
    assert run(stack, fan_out.document) == {"total": 46}


def test_source_check(stack: Stack, tmp_path: Path) -> None:
    outputs = run(stack, source_check.document, name="shop", location=str(shop(tmp_path)))
    assert outputs["assets"] == 2


def test_source_check_raises_the_alarm(stack: Stack, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere.db")
    run_id = stack.start(stack.save(source_check.document), name="gone", location=nowhere)
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    events = stack.events(run_id)
    assert ("test", "failed") in events
    assert ("alarm", "succeeded") in events
    assert ("tell", "succeeded") not in events


class Reports(http.server.BaseHTTPRequestHandler):
    """Takes reports, and answers each with a ticket."""

    taken: ClassVar[list[Any]]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        self.taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        content = json.dumps({"ticket": f"R-{len(self.taken)}"}).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def reports() -> Iterator[tuple[str, list[Any]]]:
    """Serve an inbox for reports; yield its address and what it took."""
    taken: list[Any] = []
    handler = type("Taking", (Reports,), {"taken": taken})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/orders", taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("orders", "told"),
    [(3, "shop: 2 orders reported as R-1"), (0, "shop is not fit to be reported")],
)
def test_order_watch(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orders: int, told: str
) -> None:
    monkeypatch.setenv("RACINE_REQUEST_HOSTS", '["127.0.0.1"]')
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, total REAL)")
        rows = [(n, float(n)) for n in range(orders)]
        connection.executemany("INSERT INTO orders VALUES (?, ?)", rows)
    given = {"name": "shop", "kind": "sqlite", "location": str(path)}
    run(stack, templates.load("governance_run"), **given)
    with reports() as (address, taken):
        outputs = run(stack, order_watch.document, source="shop", report_to=address)
    assert outputs == {"orders": max(0, orders - 1)}
    assert taken == ([{"source": "shop", "orders": 2}] if orders else [])
    with stack.db.read() as session:
        subjects = [left.subject for left in session.scalars(notifications.inbox("ws_1", "usr_1"))]
    assert told in subjects


@pytest.mark.parametrize(
    "job", [word_count, fan_out, source_check, order_watch], ids=lambda job: job.name
)
def test_the_worker_finds_the_functions_by_name(job: Any) -> None:
    for name in job.functions:
        assert name.startswith(f"examples.{job.name}:")
