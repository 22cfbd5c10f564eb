"""A new release of the workflow code, deployed over open runs."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent

from bench.processes import Processes
from models.temporal import connect
from racine.client import Client
from racine.errors import Conflict
from tests.chaos.parts import parts, racine, wait_for_state
from tests.eventually import eventually
from tests.local.stack import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
__all__ = ["parts", "racine"]

_OPEN = 500
_FIRST_TASK = 4
"""Events of a run once its first workflow task is over."""
_CODE = ("activities", "models", "racine", "services", "workflows")
_OLD = "            await self._drive(self._main)\n"
_NEW = (
    '            if workflow.patched("a-later-release"):\n'
    "                await workflow.sleep(0.001)\n"
    f"{_OLD}"
)
"""What the later release does more: a command, which its author guards as the rule wants."""


def _after(key: str) -> dict[str, Any]:
    return {"depends_on": [{"task_key": key}]}


_NOTHING = {"operation_task": {"operation": "racine.noop"}}
_ASK = {"approval_task": {"self_approval": True}}
_KINDS: dict[str, list[dict[str, Any]]] = {
    "asks": [
        {"task_key": "first", **_NOTHING},
        {"task_key": "ask", **_ASK, **_after("first")},
        {"task_key": "last", **_NOTHING, **_after("ask")},
    ],
    "hears": [
        {"task_key": "word", "wait_task": {"signal": "word"}},
        {"task_key": "last", **_NOTHING, **_after("word")},
    ],
    "loops": [
        {
            "task_key": "each",
            "for_each_task": {
                "inputs": [1, 2],
                "concurrency": 2,
                "tasks": [
                    {"task_key": "first", **_NOTHING},
                    {"task_key": "ask", **_ASK, **_after("first")},
                ],
            },
        },
        {"task_key": "last", **_NOTHING, **_after("each")},
    ],
    "fails": [
        {
            "task_key": "bad",
            "operation_task": {"operation": "racine.noop", "input": {"value": "{{ 1 / 0 }}"}},
            "retry_policy": {"maximum_attempts": 1},
        },
        {"task_key": "last", **_NOTHING, **_after("bad")},
    ],
    "rests": [
        {"task_key": "rest", "wait_task": {"duration_seconds": 60}},
        {"task_key": "last", **_NOTHING, **_after("rest")},
    ],
}
"""Jobs whose runs stay open: at a question, a timer, a signal, in a loop, held after a failure."""


def test_a_changed_release_goes_on_with_five_hundred_open_runs(
    parts: Processes, racine: Client, tmp_path: Path
) -> None:
    """No history has a workflow task that failed, and both releases have worked on each."""
    for name, tasks in _KINDS.items():
        racine.apply({"name": name, "failure_policy": "HOLD", "tasks": tasks})
    each = _OPEN // len(_KINDS)
    old = {racine.run(name): name for name in _KINDS for _ in range(each)}
    lengths = partial(_lengths, parts.temporal, old)
    eventually(lambda: min(asyncio.run(lengths())) >= _FIRST_TASK, "every run has begun", 300)
    parts.kill("workflows")
    still_open = [run_id for run_id in old if racine.run_detail(run_id)["state"] == "running"]
    assert len(still_open) >= _OPEN * 4 // 5, "only timers end by themselves"
    parts.commands["workflows"][1] = str(_later_release(tmp_path / "later"))
    parts.start("workflows")
    new = {racine.run(name): name for name in _KINDS}
    for run_id, name in (old | new).items():
        _let_go(racine, run_id, name)
    for run_id in old | new:
        wait_for_state(racine, run_id, within=300)

    histories = asyncio.run(_histories(parts.temporal))
    assert histories.keys() == old.keys() | new.keys()
    causes = Counter(
        WorkflowTaskFailedCause.Name(event.workflow_task_failed_event_attributes.cause)
        for events in histories.values()
        for event in events
        if event.HasField("workflow_task_failed_event_attributes")
    )
    assert not causes
    assert {_releases(histories[run_id]) for run_id in still_open} == {2}
    assert {_markers(histories[run_id]) for run_id in old} == {0}
    assert {_markers(histories[run_id]) for run_id in new} == {1}


def _later_release(folder: Path) -> Path:
    """Copy the workers' code with a change to the interpreter; return its worker's path."""
    for name in _CODE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    job = folder / "workflows/job.py"
    before = job.read_text()
    assert before.count(_OLD) == 1
    job.write_text(before.replace(_OLD, _NEW))
    return Path(shutil.copy(ROOT / "worker.py", folder))


def _let_go(racine: Client, run_id: str, name: str) -> None:
    """Give a run the orders that it waits for, once it does."""
    orders: dict[str, list[Callable[[], Any]]] = {
        "asks": [partial(racine.control, run_id, "approve", task_key="ask")],
        "rests": [],
        "hears": [partial(racine.signal, run_id, "word")],
        "loops": [
            partial(racine.control, run_id, "approve", task_key=f"each[{n}].ask") for n in range(2)
        ],
        "fails": [partial(racine.control, run_id, "skip", task_key="bad")],
    }
    for order in orders[name]:
        eventually(partial(_takes, order), f"{run_id}, that {name}, takes its order")


def _takes(order: Callable[[], Any]) -> bool:
    try:
        order()
    except Conflict:
        return False
    return True


async def _lengths(address: str, runs: dict[str, str]) -> list[int]:
    """Return how many events each run has."""
    client = await connect(address)
    handles = [client.get_workflow_handle(f"{name}/{run_id}") for run_id, name in runs.items()]
    return [(await handle.describe()).history_length for handle in handles]


async def _histories(address: str) -> dict[str, list[HistoryEvent]]:
    """Return the events of every run."""
    client, found = await connect(address), {}
    async for execution in client.list_workflows("WorkflowType = 'RacineJob'"):
        history = await client.get_workflow_handle(execution.id).fetch_history()
        found[execution.id.rpartition("/")[2]] = list(history.events)
    return found


def _releases(events: list[HistoryEvent]) -> int:
    """Count the processes that have worked on a run."""
    return len(
        {
            event.workflow_task_completed_event_attributes.identity
            for event in events
            if event.HasField("workflow_task_completed_event_attributes")
        }
    )


def _markers(events: list[HistoryEvent]) -> int:
    return sum(event.HasField("marker_recorded_event_attributes") for event in events)
