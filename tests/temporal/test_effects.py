"""Statements, requests, gates and notifications as tasks of real runs."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from models.stores import notifications, runs, sources
from racine.definitions.validation import examine
from tests.activities.test_http import served
from tests.temporal.conftest import Stack
from tests.temporal.payloads import texts


def shop(stack: Stack, folder: Path) -> None:
    path = folder / "shop.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, email TEXT)")
        rows = [(n, f"canary{n}@example.org") for n in range(1, 8)]
        db.executemany("INSERT INTO orders VALUES (?, ?)", rows)
    db.close()
    with stack.db.write() as session:
        sources.register(session, "ws_1", name="shop", kind="sqlite", location=str(path))


def task(key: str, kind: str, spec: dict[str, Any], *upstream: str, **more: Any) -> dict[str, Any]:
    return {
        "task_key": key, kind: spec, "depends_on": [{"task_key": up} for up in upstream], **more,
    }  # fmt: skip


def test_statements_requests_and_notifications_follow_each_other(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RACINE_REQUEST_HOSTS", '["127.0.0.1"]')
    shop(stack, tmp_path)
    count: dict[str, Any] = {
        "source": "shop", "statement": "SELECT count(*) AS n FROM orders WHERE id > :least",
        "parameters": {"least": "{{ params.least }}"},
    }  # fmt: skip
    post: dict[str, Any] = {
        "method": "POST", "url": "{{ params.url }}/json",
        "body": {"rows": "{{ tasks.count.values.n }}"}, "values_from": {"ok": "/ok"},
    }  # fmt: skip
    told = {"subject": "{{ tasks.count.values.n }} orders", "severity": "warning"}
    document: dict[str, Any] = {
        "name": "effects",
        "parameters": [{"name": "least"}, {"name": "url"}],
        "tasks": [
            task("count", "sql_task", count, outputs={"properties": {"n": {"type": "integer"}}}),
            task("post", "http_task", post, "count"),
            task("tell", "notify_task", told, "count", "post"),
        ],
        "outputs": {"n": "{{ tasks.count.values.n }}", "ok": "{{ tasks.post.values.ok }}"},
    }
    with served() as (url, asked):
        run_id = stack.start(stack.save(document), least=2, url=url)
        assert stack.result(run_id).outputs == {"n": 5, "ok": True}
    assert json.loads(asked[0]["body"]) == {"rows": 5}
    with stack.db.read() as session:
        left = session.scalars(notifications.inbox("ws_1", "usr_1")).one()
    assert (left.subject, left.severity, left.run_id) == ("5 orders", "warning", run_id)


def test_rows_never_enter_the_history(stack: Stack, tmp_path: Path) -> None:
    shop(stack, tmp_path)
    rows = {"source": "shop", "statement": "SELECT id, email FROM orders"}
    document: dict[str, Any] = {
        "name": "rows", "tasks": [task("rows", "sql_task", rows)],
        "outputs": {"ref": "{{ tasks.rows.values.result }}"},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    assert stack.result(run_id).outputs["ref"].startswith("blob:")
    with stack.db.read() as session:
        workflow_id = runs.get(session, run_id).workflow_id
    handle = stack.temporal.client.get_workflow_handle(workflow_id)
    events = stack.temporal.run(handle.fetch_history()).events
    told = b"\n".join(text for event in events for text in texts(event))
    assert b"SELECT id, email FROM orders" in told
    assert b"canary" not in told


def test_a_write_is_tried_once_unless_the_task_says_more(stack: Stack, tmp_path: Path) -> None:
    monkey = {"source": "shop", "statement": "DELETE FROM nothing", "write": True}
    shop(stack, tmp_path)
    failing = task("gone", "sql_task", monkey)
    run_id = stack.start(stack.save({"name": "once", "tasks": [failing]}))
    with pytest.raises(WorkflowFailureError):
        stack.result(run_id)
    kinds = [kind for key, kind in stack.events(run_id) if key == "gone"]
    assert kinds == ["started", "failed"]


@pytest.mark.parametrize(("allowed", "taken"), [(100, "go"), (1, "stop")])
def test_a_gate_decides_which_way_a_run_goes(
    stack: Stack, tmp_path: Path, allowed: int, taken: str
) -> None:
    shop(stack, tmp_path)
    with stack.db.read() as session:
        source = sources.named(session, "ws_1", "shop")
    assert source is not None
    check = {"asset": "orders", "metric": "ROW_COUNT", "op": "LESS_THAN", "value": allowed}
    scan = "{{ tasks.discover.values.scan_id }}"
    document: dict[str, Any] = {
        "name": "gate",
        "tasks": [
            _operation("test", "data_sources.test", {"source_id": source.id}),
            _operation("discover", "data_sources.discover", {"source_id": source.id}, "test"),
            _operation("scan", "scan_logic.scan", {"scan_id": scan}, "discover"),
            task("gate", "quality_task",
                 {"scan_id": scan, "checks": [check], "on_fail": "CONTINUE"}, "discover", "scan"),
            *({"task_key": key, "noop_task": {},
               "depends_on": [{"task_key": "gate", "outcome": outcome}]}
              for key, outcome in (("go", "passed"), ("stop", "failed"))),
        ],
        "outputs": {"outcome": "{{ tasks.gate.outcome }}",
                    "measured": "{{ tasks.gate.values.checks[0].measured }}"},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    outcome = "passed" if taken == "go" else "failed"
    assert stack.result(run_id).outputs == {"outcome": outcome, "measured": 7}
    ended = [key for key, kind in stack.events(run_id) if kind == "succeeded"]
    assert [key for key in ended if key in ("go", "stop")] == [taken]


def _operation(key: str, name: str, given: dict[str, Any], *upstream: str) -> dict[str, Any]:
    return task(key, "operation_task", {"operation": name, "input": given}, *upstream)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("sql_task", {"source": "s", "statement": "SELECT {{ params.x }}"}, "statement"),
    ("sql_task", {"source": "s", "statement": "DELETE FROM t"}, "statement"),
    ("sql_task", {"source": "s", "statement": ["SELECT 1", "SELECT :x"]}, "statement/1"),
    ("sql_task", {"source": "s", "statement": "SELECT 1; SELECT 2"}, "statement"),
    ("sql_task", {"source": "s", "statement": "COMMIT", "write": True}, "statement"),
    ("http_task", {"url": "file:///etc/passwd"}, "url"),
    ("http_task", {"url": "http://me:pass@example.org/"}, "url"),
    ("http_task", {"url": "http://a.org/", "headers": {"Host": "b"}}, "headers/Host"),
    ("http_task", {"url": "http://a.org/", "values_from": {"n": "n"}}, "values_from/n"),
    ("http_task", {"url": "http://a.org/{{ secrets.key }}"}, "url"),
    ("quality_task", {"checks": [{"expression": "true"}]}, ""),
    ("quality_task", {"source": "s", "checks": [{}]}, "checks/0"),
    ("quality_task", {"source": "s", "checks": [{"expression": "rows >"}]}, "checks/0/expression"),
    ("quality_task", {"source": "s", "checks": [{"metric": "UNIQUENESS", "value": 1}]},
     "checks/0/column"),
    ("notify_task", {"subject": "{{ tasks.none.state }}"}, "subject"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "spec", "place"), BAD)
def test_what_cannot_be_executed_is_refused_when_saved(
    kind: str, spec: dict[str, Any], place: str
) -> None:
    report = examine({"name": "bad", "tasks": [task("a", kind, spec)]})
    pointers = {fault.pointer for fault in report.faults}
    assert pointers == {f"/tasks/0/{kind}/{place}".rstrip("/")}
    assert all(fault.next_step for fault in report.faults)


def test_a_secret_in_a_header_is_no_unknown_name() -> None:
    spec = {"url": "https://a.org/", "headers": {"Authorization": "Bearer {{ secrets.crm }}"}}
    document = {"name": "good", "tasks": [task("a", "http_task", spec)]}
    assert examine(document).faults == []


def test_a_loop_walks_over_the_rows_of_a_statement(stack: Stack, tmp_path: Path) -> None:
    shop(stack, tmp_path)
    inputs = {"sql": "SELECT id, email FROM orders ORDER BY id", "source": "shop"}
    echo = _operation("x", "racine.noop", {"value": "{{ size(item) * 10 + item_index }}"})
    loop = {"inputs": inputs, "batch_size": 3, "tasks": [echo]}
    document: dict[str, Any] = {
        "name": "by_rows", "tasks": [{"task_key": "each", "for_each_task": loop}],
        "outputs": {"done": "{{ tasks.each.values.succeeded }}"},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    assert stack.result(run_id).outputs == {"done": 3}
    wanted = {f"each[{n}].x" for n in range(3)}
    assert wanted <= {key for key, kind in stack.events(run_id) if kind == "succeeded"}


def test_a_large_loop_over_a_file_runs_by_reference(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = "\n".join(f"{n},canary{n}@example.org" for n in range(250))
    (folder / "people.csv").write_text(f"id,email\n{rows}\n")
    with stack.db.write() as session:
        sources.register(session, "ws_1", name="data", kind="files", location=str(folder))
    echo = _operation("x", "racine.noop", {"value": "{{ int(item.id) == item_index }}"})
    loop = {"inputs": {"source": "data", "file": "people.csv"}, "concurrency": 50,
            "tasks": [echo]}  # fmt: skip
    document: dict[str, Any] = {
        "name": "by_file", "tasks": [{"task_key": "each", "for_each_task": loop}],
        "outputs": {"done": "{{ tasks.each.values.succeeded }}"},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    assert stack.result(run_id).outputs == {"done": 250}
    told = b"\n".join(_histories(stack, f"by_file/{run_id}"))
    assert b"people.csv" in told
    assert b"canary" not in told


def _histories(stack: Stack, prefix: str) -> list[bytes]:
    """Return every text in the histories of a run's workflows."""

    async def read() -> list[bytes]:
        client, found = stack.temporal.client, list[bytes]()
        async for execution in client.list_workflows(f"WorkflowId STARTS_WITH '{prefix}'"):
            handle = client.get_workflow_handle(execution.id)
            history = await handle.fetch_history()
            found += [text for event in history.events for text in texts(event)]
        return found

    return stack.temporal.run(read())
