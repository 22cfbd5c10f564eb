"""Loops over files and statements: their items are kept in pages, in bounded memory."""

import json
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.loops import LoopActivities
from activities.naming import named
from models.messages import ExpandCall, Expanded, RunContext
from models.session import Database
from racine.definitions.validation import examine
from racine.governance.rbac.decision import SYSTEM_ID
from racine.items import reference
from tests.activities.tasks import Bench, bench


class Loops:
    def __init__(self, made: Bench) -> None:
        self.bench = made
        self.serve = LoopActivities(made.db, made.attempts.heartbeats).expand

    def expand(
        self, inputs: dict[str, Any], batch_size: int | None = None, **call: Any
    ) -> Expanded:
        context = RunContext(run_id="run_1", workspace_id="ws_1", actor=SYSTEM_ID)
        given = ExpandCall(context=context, inputs=inputs, batch_size=batch_size, **call)
        found: Expanded = ActivityEnvironment().run(self.serve, given)
        assert (found.by_reference, found.items) == (True, None)
        return found

    def items(self, inputs: dict[str, Any], **more: Any) -> list[Any]:
        found = self.expand(inputs, **more)
        items = self.bench.items(found.ref or "")
        assert len(items) == found.count
        return items

    def fails(self, inputs: dict[str, Any]) -> str:
        with pytest.raises(ApplicationError) as caught:
            self.expand(inputs)
        return str(caught.value.message)


@pytest.fixture
def loops(sqlite_db: Database) -> Iterator[Loops]:
    with bench(sqlite_db) as made:
        yield Loops(made)


@pytest.fixture
def folder(loops: Loops, tmp_path: Path) -> Path:
    """The folder of a source named `files`."""
    place = tmp_path / "data"
    place.mkdir()
    loops.bench.source("files", str(place), "files")
    return place


def test_rows_of_delimited_text_are_objects_of_text(loops: Loops, folder: Path) -> None:
    (folder / "a.csv").write_text('id,name\n007,"a, b"\n2,\n')
    assert loops.items({"source": "files", "file": "a.csv"}) == [
        {"id": "007", "name": "a, b"}, {"id": "2", "name": None},
    ]  # fmt: skip


def test_lines_of_json_keep_their_types(loops: Loops, folder: Path) -> None:
    (folder / "a.jsonl").write_text('{"n": [1, null]}\n\n"x"\n')
    assert loops.items({"source": "files", "file": "a.jsonl"}) == [{"n": [1, None]}, "x"]
    (folder / "b.jsonl").write_text('{"n": 1}\nnonsense\n')
    assert loops.fails({"source": "files", "file": "b.jsonl"}) == "A line of b.jsonl is no JSON."


def test_rows_of_parquet_and_lines_of_text(loops: Loops, folder: Path) -> None:
    with duckdb.connect() as db:
        path = folder / "a.parquet"
        db.execute(f"COPY (SELECT range AS n, 'x' || range AS s FROM range(3)) TO '{path}'")
    assert loops.items({"source": "files", "file": "a.parquet"})[2] == {"n": 2, "s": "x2"}
    (folder / "names.txt").write_text("ada\n\ngrace\r\n")
    assert loops.items({"source": "files", "file": "names.txt"}) == ["ada", "grace"]


def test_rows_of_a_statement_are_objects_in_batches(loops: Loops, tmp_path: Path) -> None:
    numbers(loops, tmp_path, 25)
    wanted = {
        "sql": "SELECT n FROM numbers WHERE n < :top ORDER BY n", "source": "shop",
        "parameters": {"top": "{{ params.top }}"},
    }  # fmt: skip
    names = {"params": {"top": 5}, "run": {}, "tasks": {}}
    assert loops.items(wanted, names=names) == [{"n": n} for n in range(5)]
    in_tens = {"sql": "SELECT n FROM numbers", "source": "shop"}
    assert [len(batch) for batch in loops.items(in_tens, batch_size=10)] == [10, 10, 5]


def test_files_outside_what_is_allowed_are_refused(
    loops: Loops, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "secret.txt").write_text("canary")
    outside = {"source": "files", "file": "../secret.txt"}
    assert "outside the folders" in loops.fails(outside)
    assert "outside the folders" in loops.fails({"source": "files", "file": "/etc/passwd"})
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    assert "outside the folders" in loops.fails({"source": "files", "file": "link.txt"})
    absolute = {"file": str(folder.parent / "secret.txt")}
    assert "registered source" in loops.fails(absolute)
    monkeypatch.setenv("RACINE_SOURCE_FOLDERS", json.dumps([str(folder)]))
    assert "outside the folders" in loops.fails(absolute)
    monkeypatch.setenv("RACINE_SOURCE_FOLDERS", json.dumps([str(folder.parent)]))
    assert loops.items(absolute) == ["canary"]
    assert "There is no file" in loops.fails({"source": "files", "file": "none.txt"})


def test_an_item_is_read_where_an_activity_needs_it(loops: Loops, folder: Path) -> None:
    (folder / "a.txt").write_text("a\nb\n")
    ref = loops.expand({"source": "files", "file": "a.txt"}).ref or ""
    outer = {"item": reference(ref, 0), "item_index": 0, "outer": {}}
    names = {"params": {}, "item": reference(ref, 1), "item_index": 1, "outer": outer}
    with loops.bench.db.read() as session:
        found = named(session, "ws_1", names)
    assert (found["item"], found["item_index"], found["outer"]["item"]) == ("b", 1, "a")


def numbers(loops: Loops, folder: Path, count: int) -> None:
    path = folder / "numbers.db"
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE numbers AS WITH RECURSIVE t(n) AS (SELECT 0 UNION ALL"
            f" SELECT n + 1 FROM t WHERE n < {count - 1}) SELECT n, printf('%064d', n) AS s FROM t"
        )
    db.close()
    loops.bench.source("sqlite", str(path))


@pytest.mark.slow
def test_a_million_rows_are_cut_into_items_in_bounded_memory(loops: Loops, tmp_path: Path) -> None:
    numbers(loops, tmp_path, 1_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = loops.expand({"sql": "SELECT n, s FROM numbers", "source": "shop"}, batch_size=1000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert found.count == 1000
    names = {"item": reference(found.ref or "", 999)}
    with loops.bench.db.read() as session:
        last = named(session, "ws_1", names)["item"]
    assert (len(last), last[-1]["n"]) == (1000, 999_999)
    assert grown < 64 * 1024, "kilobytes"


@pytest.mark.parametrize(
    ("inputs", "place"),
    [
        ({"sql": "DELETE FROM t", "source": "s"}, "/inputs/sql"),
        ({"sql": "SELECT {{ params.x }}", "source": "s"}, "/inputs/sql"),
        ({"file": "a.bin"}, "/inputs/format"),
    ],
)
def test_inputs_that_cannot_be_walked_are_refused_when_saved(
    inputs: dict[str, Any], place: str
) -> None:
    body = {"task_key": "b", "noop_task": {}}
    loop = {"task_key": "a", "for_each_task": {"inputs": inputs, "tasks": [body]}}
    report = examine({"name": "bad", "tasks": [loop]})
    assert [fault.pointer for fault in report.faults] == [f"/tasks/0/for_each_task{place}"]


def test_a_decision_by_an_item_that_the_run_never_reads_is_refused() -> None:
    gate = {"task_key": "gate", "condition_task": {"expression": "item.n > 1"}}
    ok = {"task_key": "ok", "condition_task": {"expression": "item_index > 1"}}
    loop = {"inputs": {"file": "a.csv", "source": "s"}, "tasks": [gate, ok]}
    report = examine({"name": "bad", "tasks": [{"task_key": "a", "for_each_task": loop}]})
    assert [(fault.pointer, fault.code) for fault in report.faults] == [
        ("/tasks/0/for_each_task/tasks/0/condition_task/expression", "unread_item")
    ]
