"""Parts that die and come back: what was accepted goes on, and who asks is told the truth."""

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.processes import PASSWORD, Processes
from racine.client import Client, signed_in
from services.bootstrap import ADMIN_EMAIL
from tests.chaos.parts import WORKERS, ends_of_tasks, parts, racine, wait_for_state
from tests.local.stack import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
__all__ = ["parts", "racine"]

_RUNS = "/api/racine/workflows/executions"


def _rest(key: str, seconds: float, *after: str) -> dict[str, Any]:
    return {
        "task_key": key,
        "python_task": {
            "callable": "tests.chaos.slow_code:rest",
            "parameters": {"seconds": seconds},
        },
        "heartbeat_timeout_seconds": 5,
        "depends_on": [{"task_key": before} for before in after],
    }


def _loop(key: str, count: int, concurrency: int, seconds: float) -> dict[str, Any]:
    step, then = f"{key}_step", f"{key}_then"
    body = [_rest(step, seconds), {"task_key": then, "noop_task": {}}]
    body[1]["depends_on"] = [{"task_key": step}]
    inputs = list(range(count))
    return {
        "task_key": key,
        "for_each_task": {"inputs": inputs, "concurrency": concurrency, "tasks": body},
    }


EVERY_KIND: list[dict[str, Any]] = [
    _rest("python", 4),
    {"task_key": "wait", "wait_task": {"duration_seconds": 6}},
    {"task_key": "ask", "approval_task": {"self_approval": True}},
    _loop("few", 6, 2, 2),
    _loop("many", 120, 20, 0.3),
    {"task_key": "told", "condition_task": {"expression": "tasks.python.values.rested > 1.0"},
     "depends_on": [{"task_key": "python"}]},
    {"task_key": "last", "noop_task": {}, "depends_on": [{"task_key": "told", "outcome": "true"}]},
]  # fmt: skip


@pytest.mark.parametrize("killed", [WORKERS[:1], WORKERS[1:], WORKERS], ids=" and ".join)
def test_workers_killed_under_every_kind_of_task(
    parts: Processes, racine: Client, tmp_path: Path, killed: tuple[str, ...]
) -> None:
    racine.apply({"name": "every_kind", "tasks": EVERY_KIND})
    run_id = racine.run("every_kind")
    eventually(
        lambda: ("few[0].few_step", "succeeded") in ends_of_tasks(tmp_path, run_id), "half way"
    )

    for name in killed:
        parts.kill(name)
    for name in killed:
        parts.start(name)
    racine.control(run_id, "approve", task_key="ask")
    wait_for_state(racine, run_id)

    keys = {f"{loop}[{n}].{loop}_{step}" for loop, count in (("few", 6), ("many", 120))
            for n in range(count) for step in ("step", "then")}  # fmt: skip
    keys |= {task["task_key"] for task in EVERY_KIND}
    once = Counter((key, "succeeded") for key in keys)
    # The log's last batch lands after the run's end.
    eventually(lambda: ends_of_tasks(tmp_path, run_id) >= once, "every end is told", 20)
    assert ends_of_tasks(tmp_path, run_id) == once


def test_without_any_worker_a_run_stays_open_and_health_names_the_lack(
    parts: Processes, racine: Client
) -> None:
    racine.apply({"name": "patient", "tasks": [_rest("a", 2), _rest("b", 1, "a")]})
    run_id = racine.run("patient")
    wait_for_state(racine, run_id, "running")
    for name in WORKERS:
        parts.kill(name)

    def queues() -> dict[str, int | None]:
        return {
            queue["name"]: queue["workers"]
            for queue in racine.get("/api/racine/orchestration/health")["queues"]
        }

    eventually(lambda: set(queues().values()) == {0}, "health tells of no workers", 60)
    assert racine.run_detail(run_id)["state"] == "running"
    waiting = [task["waiting"] for task in racine.graph(run_id)["tasks"]]
    assert any("No worker takes from racine-" in reason for reason in waiting), waiting
    for name in WORKERS:
        parts.start(name)
    wait_for_state(racine, run_id)


def test_a_hundred_runs_outlive_the_temporal_server(parts: Processes, racine: Client) -> None:
    racine.apply({"name": "long", "tasks": [_rest("a", 0.2), _rest("b", 0.2, "a"),
                                            _rest("c", 0.2, "b")]})  # fmt: skip
    ids = [racine.run("long") for _ in range(100)]
    parts.kill("temporal")

    eventually(lambda: not _ready(parts), "the API says that it is not ready", 30)
    refused = _status(parts, ids[-1])
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    late = racine.run("long")
    assert racine.run_detail(late)["state"] == "scheduled"

    parts.start("temporal")
    eventually(lambda: _ready(parts), "the API is ready again", 60)
    for run_id in [*ids, late]:
        wait_for_state(racine, run_id, within=300)


def _ready(parts: Processes) -> bool:
    return httpx.get(f"{parts.api}/readyz", timeout=20, trust_env=False).is_success


def _status(parts: Processes, run_id: str) -> httpx.Response:
    token = signed_in(parts.api, ADMIN_EMAIL, PASSWORD)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{parts.api}{_RUNS}/{run_id}/status"
    return httpx.get(path, headers=headers, timeout=20, trust_env=False)
