"""Every example runs: here without a server, and for real on Temporal with real workers."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from examples.fan_out import fan_out
from examples.source_check import source_check
from examples.word_count import word_count
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


@pytest.mark.parametrize("job", [word_count, fan_out, source_check], ids=lambda job: job.name)
def test_the_worker_finds_the_functions_by_name(job: Any) -> None:
    for name in job.functions:
        assert name.startswith(f"examples.{job.name}:")
