"""Whatever a task waits for, its sentence says so, with its place in line or the reason."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.stores import sources
from services import executions
from services.controls import Action
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_deep_orders import give, seen
from tests.temporal.test_pools import hold, make_pool, task
from tests.temporal.test_waiting import until

Begin = Callable[[Stack, Path], str]

ASK: dict[str, Any] = {"task_key": "ask", "approval_task": {"self_approval": True}}


def started(stack: Stack, *tasks: dict[str, Any], **more: Any) -> str:
    return stack.start(stack.save({"name": "why", "tasks": list(tasks), **more}))


def holder(stack: Stack, pool: str, **limits: Any) -> None:
    """Let an open run hold a slot of a new pool."""
    make_pool(stack, pool, **limits)
    run_id = stack.start(stack.save({"name": f"holder_of_{len(pool)}", "tasks": [ASK]}))
    hold(stack, run_id, pool)


def approval(stack: Stack, _: Path) -> str:
    many = {"required": 2, "approvers": ["role:stewards"]}
    return started(stack, {"task_key": "it", "approval_task": many})


def signal(stack: Stack, _: Path) -> str:
    return started(stack, {"task_key": "it", "wait_task": {"signal": "go"}})


def moment(stack: Stack, _: Path) -> str:
    return started(stack, {"task_key": "it", "wait_task": {"duration_seconds": 600}})


def upstream(stack: Stack, _: Path) -> str:
    return started(stack, ASK, task("it", "ask"))


def held_task(stack: Stack, _: Path) -> str:
    run_id = started(stack, ASK, task("it", "ask"))
    seen(stack, run_id, "ask", "waiting")
    give(stack, run_id, Action.PAUSE, "it")
    give(stack, run_id, Action.APPROVE, "ask")
    return run_id


def pool(stack: Stack, _: Path) -> str:
    holder(stack, "warehouse", slots=1)
    return started(stack, task("it", pool="warehouse"))


def paced_pool(stack: Stack, _: Path) -> str:
    holder(stack, "paced", tokens_per_second=0.01)
    return started(stack, task("it", pool="paced"))


def source(stack: Stack, folder: Path) -> str:
    path = folder / "shop.db"
    sqlite3.connect(path).close()
    with stack.db.write() as session:
        made = sources.register(session, "ws_1", name="shop", kind="sqlite", location=str(path))
    holder(stack, f"source:{made.id}", slots=1)
    query = {"source": "shop", "statement": "SELECT 1 AS one"}
    return started(stack, {"task_key": "it", "sql_task": query})


def queue(stack: Stack, _: Path) -> str:
    job_id = stack.save({"name": "single", "max_concurrent_runs": 1, "tasks": [
        {"task_key": "it", "wait_task": {"duration_seconds": 600}}]})  # fmt: skip
    stack.start(job_id)
    with stack.db.write() as session:
        launches = [executions.record(session, stack.actor, job_id, {}) for _ in range(2)]
    return launches[-1].run_id


def retry(stack: Stack, _: Path) -> str:
    # Its source is not there for now, or for good: the task does not know.
    with stack.db.write() as session:
        sources.register(session, "ws_1", name="away", kind="postgresql",
                         location="postgresql://me@127.0.0.1:1/none")  # fmt: skip
    policy = {"maximum_attempts": 5, "initial_interval_seconds": 600,
              "maximum_interval_seconds": 600}  # fmt: skip
    query = {"source": "away", "statement": "SELECT 1"}
    return started(stack, {"task_key": "it", "sql_task": query, "retry_policy": policy})


def no_worker(stack: Stack, _: Path) -> str:
    return started(stack, task("it", task_queue="nobody"))


def failure(stack: Stack, _: Path) -> str:
    broken = {"source": "none", "statement": "SELECT 1"}
    return started(stack, {"task_key": "it", "sql_task": broken}, failure_policy="HOLD")


WHY: dict[str, tuple[Begin, str]] = {
    "an approval": (approval, r"It waits for 2 approvals by role:stewards\."),
    "a signal": (signal, r"It waits for the signal 'go'\."),
    "a moment": (moment, r"It waits until 20\d\d-.*\."),
    "a task before it": (upstream, r"It waits for ask\."),
    "whoever holds it back": (held_task, r"usr_system holds it back: for a test"),
    "a slot": (pool, r"It waits for a slot of its 1 of the pool 'warehouse': number 1 in line\."),
    "a token": (
        paced_pool,
        r"It waits for its turn at the pool 'paced', which lets 0\.01 begin a second:"
        r" number 1 in line\.",
    ),
    "its source": (
        source, r"It waits for a slot of its 1 of the source 'shop': number 1 in line\.",
    ),
    "its job": (
        queue, r"The run is number 2 in its job's queue: One run of the job may go on at once\.",
    ),
    "another attempt": (retry, r"Attempt 2 of 5 comes in \d+ s; the last: .*127\.0\.0\.1.*"),
    "a worker": (
        no_worker, r"No worker serves the queue 'nobody'\. Start worker\.py activities nobody\.",
    ),
    "a person": (failure, r"It failed, and waits for a person: .*"),
}  # fmt: skip


@pytest.mark.parametrize("what", WHY)
def test_a_task_says_what_it_waits_for(stack: Stack, tmp_path: Path, what: str) -> None:
    begin, sentence = WHY[what]
    run_id = begin(stack, tmp_path)
    until(stack, run_id, lambda found: re.fullmatch(sentence, found["it"].waiting) is not None)


def test_the_tasks_of_a_paused_run_wait_for_it_to_go_on(idle_stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "gates.py").write_text(
        "import pathlib, time\n\n\ndef hold(gate):\n"
        "    while not pathlib.Path(gate).exists():\n        time.sleep(0.05)\n"
    )
    gate = tmp_path / "gate"
    first = {"task_key": "first", "python_task": {
        "callable": "gates:hold", "parameters": {"gate": str(gate)}}}  # fmt: skip
    with run_workers(idle_stack, [tmp_path]):
        run_id = started(idle_stack, first, task("it", "first"))
        seen(idle_stack, run_id, "first", "started")
        give(idle_stack, run_id, Action.PAUSE)
        gate.touch()
        until(idle_stack, run_id, lambda found: found["it"].waiting == "The run is paused.")
        give(idle_stack, run_id, Action.RESUME)
        assert idle_stack.result(run_id).state == "completed"
