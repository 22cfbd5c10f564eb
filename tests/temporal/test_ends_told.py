"""The end of whatever waits is in the log at once, however long another task goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.messages import ControlCall
from models.stores import summaries
from services.controls import Action
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_deep_orders import give, seen
from tests.temporal.test_waiting import until, views

Order = Callable[[Stack, str], None]

GATE = """import pathlib
import time


def hold(gate):
    while not pathlib.Path(gate).exists():
        time.sleep(0.05)
"""
BROKEN = {"operation": "racine.noop", "input": {"value": "{{ 1 / 0 }}"}}
INNER: dict[str, Any] = {"task_key": "in", "wait_task": {"duration_seconds": 0.1}}


def none(stack: Stack, run_id: str) -> None:
    return


def go(stack: Stack, run_id: str) -> None:
    seen(stack, run_id, "it", "waiting")
    call = ControlCall(actor="usr_system", arguments={"name": "go"})
    handle = stack.temporal.client.get_workflow_handle(f"ends/{run_id}")
    stack.temporal.run(handle.execute_update("signal", call))


def approve(stack: Stack, run_id: str) -> None:
    seen(stack, run_id, "it", "waiting")
    give(stack, run_id, Action.APPROVE, "it")


def skip(stack: Stack, run_id: str) -> None:
    seen(stack, run_id, "it", "failed")
    give(stack, run_id, Action.SKIP, "it")


def skip_held(stack: Stack, run_id: str) -> None:
    seen(stack, run_id, "it", "held")
    give(stack, run_id, Action.SKIP, "it")


KINDS: dict[str, tuple[dict[str, Any], Order, str]] = {
    "a duration": ({"wait_task": {"duration_seconds": 0.1}}, none, "succeeded"),
    "a moment": ({"wait_task": {"until": "2026-01-01T00:00:00+00:00"}}, none, "succeeded"),
    "a signal": ({"wait_task": {"signal": "go"}}, go, "succeeded"),
    "a signal that never comes": (
        {"wait_task": {"signal": "go", "timeout_seconds": 0.1}}, none, "failed",
    ),
    "an approval": ({"approval_task": {"self_approval": True}}, approve, "succeeded"),
    "another run": ({"run_job_task": {"job": "callee"}}, none, "succeeded"),
    "a person, after a failure": ({"operation_task": BROKEN}, skip, "excluded"),
    "a person, by a rule": (
        {"operation_task": BROKEN, "retry_rules": [{"action": "HOLD"}]}, skip_held, "excluded",
    ),
    "a loop of waits": ({"for_each_task": {"inputs": [1, 2], "tasks": [INNER]}}, none, "succeeded"),
    "rounds of waits": (
        {"while_task": {"condition": "iteration < 1", "tasks": [INNER]}}, none, "succeeded",
    ),
}  # fmt: skip


@pytest.fixture
def gated(idle_stack: Stack, tmp_path: Path) -> Iterator[tuple[Stack, Path]]:
    """A stack whose tasks may hold on until a file is there."""
    (tmp_path / "gates.py").write_text(GATE)
    with run_workers(idle_stack, [tmp_path]):
        yield idle_stack, tmp_path / "gate"


@pytest.mark.parametrize("what", KINDS)
def test_an_end_is_told_while_a_long_task_goes_on(gated: tuple[Stack, Path], what: str) -> None:
    stack, gate = gated
    task, order, state = KINDS[what]
    stack.save({"name": "callee", "tasks": [INNER]})
    held = {"callable": "gates:hold", "parameters": {"gate": str(gate)}}
    tasks: list[dict[str, Any]] = [
        {"task_key": "long", "python_task": held},
        # As `long` has begun, nothing but the end itself can tell of it.
        {"task_key": "first", "wait_task": {"signal": "begin"}},
        {"task_key": "it", "depends_on": [{"task_key": "first"}], **task},
        {"task_key": "last", "depends_on": [{"task_key": "it"}, {"task_key": "long"}],
         "operation_task": {"operation": "racine.noop", "input": {"value": 1}}},
    ]  # fmt: skip
    job = stack.save({"name": "ends", "failure_policy": "HOLD", "tasks": tasks})
    run_id = stack.start(job)
    seen(stack, run_id, "long", "started")
    begin = ControlCall(actor="usr_system", arguments={"name": "begin"})
    handle = stack.temporal.client.get_workflow_handle(f"ends/{run_id}")
    stack.temporal.run(handle.execute_update("signal", begin))
    order(stack, run_id)
    until(stack, run_id, lambda found: found["it"].state == state)
    found = views(stack, run_id)
    assert (found["it"].waiting == "") is (state == "succeeded")
    assert found["last"].waiting == "It waits for long."
    assert found["long"].state == "running"
    with stack.db.read() as session:
        assert "it" not in summaries.asked(session, run_id)
    gate.touch()
    until(stack, run_id, lambda found: found["long"].state == "succeeded")
