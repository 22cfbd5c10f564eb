"""Parts that die and come back: what was accepted goes on, and who asks is told the truth."""

import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.processes import PASSWORD, Processes
from racine.client import Client, signed_in
from services import health
from services.bootstrap import ADMIN_EMAIL
from tests.chaos.every_kind import (
    COUNTED,
    HELD,
    QUICK,
    TOLD,
    every_kind,
    inner,
    kept,
    paths,
    register,
    slow_server,
)
from tests.chaos.parts import (
    WORKERS,
    at_work,
    ends_of_tasks,
    parts,
    racine,
    wait_for_state,
)
from tests.eventually import eventually

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


@pytest.mark.parametrize("killed", [WORKERS[:1], WORKERS[1:], WORKERS], ids=" and ".join)
def test_workers_killed_under_every_kind_of_task(
    parts: Processes, racine: Client, tmp_path: Path, killed: tuple[str, ...]
) -> None:
    gate = tmp_path / "gate"
    racine.apply(inner())
    racine.apply(every_kind())
    given = {"gate": str(gate), "source": register(racine, tmp_path), "way": "right"}
    with slow_server(gate) as url:
        run_id = racine.run("every_kind", given | {"url": url})
        eventually(lambda: at_work(tmp_path, run_id) >= set(HELD), "all that is held has begun")
        racine.signal(run_id, "begin")
        few = {(f"{loop}[{n}].{loop[:-1]}", "succeeded") for loop in QUICK for n in range(3)}
        eventually(lambda: ends_of_tasks(tmp_path, run_id).keys() >= few, "short ones follow")
        assert at_work(tmp_path, run_id) >= {"request", "python"}

        for name in killed:
            parts.kill(name)
        for name in killed:
            parts.start(name)
        gate.touch()
        racine.signal(run_id, "word")
        racine.control(run_id, "approve", task_key="ask")
        wait_for_state(racine, run_id, within=300)

    once = Counter((path, "succeeded") for path in paths())
    # The log's last batch lands after the run's end.
    eventually(lambda: ends_of_tasks(tmp_path, run_id) >= once, "every end is told")
    assert ends_of_tasks(tmp_path, run_id) == once
    assert racine.run_detail(run_id)["outputs"] == {"n": COUNTED}
    assert kept(tmp_path) == COUNTED // 1000
    told = Counter(note["subject"] for note in racine.items("/api/racine/notifications"))
    assert told == Counter(f"note {n}" for n in range(TOLD))
    children = list(racine.runs(job="inner"))
    assert len(children) == 2
    for child in children:
        wait_for_state(racine, child["id"])


def test_without_any_worker_a_run_stays_open_and_health_names_the_lack(
    parts: Processes, racine: Client
) -> None:
    """Within 15 s of the last report: what the machine adds is told, and no reason to fail."""
    assert health.ALIVE <= timedelta(seconds=15)
    racine.apply({"name": "patient", "tasks": [_rest("a", 2), _rest("b", 1, "a")]})
    run_id = racine.run("patient")
    wait_for_state(racine, run_id, "running")
    for name in WORKERS:
        parts.kill(name)
    killed = time.monotonic()

    def queues() -> dict[str, int | None]:
        return {
            queue["name"]: queue["workers"]
            for queue in racine.get("/api/racine/orchestration/health")["queues"]
        }

    eventually(lambda: set(queues().values()) == {0}, "health tells of no workers", 120)
    _tell("health told that nobody works", killed)
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
    killed = time.monotonic()

    eventually(lambda: not _ready(parts), "the API says that it is not ready")
    _tell("the API was not ready", killed)
    asked = time.monotonic()
    refused = _status(parts, ids[-1])
    _tell("a request was refused", asked)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    late = racine.run("long")
    assert racine.run_detail(late)["state"] == "scheduled"

    parts.start("temporal")
    started = time.monotonic()
    eventually(lambda: _ready(parts), "the API is ready again")
    _tell("the API was ready again", started)
    for run_id in [*ids, late]:
        wait_for_state(racine, run_id, within=300)


def _tell(what: str, since: float) -> None:
    sys.stdout.write(f"{what} after {time.monotonic() - since:.1f} s\n")


def _ready(parts: Processes) -> bool:
    return httpx.get(f"{parts.api}/readyz", timeout=20, trust_env=False).is_success


def _status(parts: Processes, run_id: str) -> httpx.Response:
    token = signed_in(parts.api, ADMIN_EMAIL, PASSWORD)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{parts.api}{_RUNS}/{run_id}/status"
    return httpx.get(path, headers=headers, timeout=20, trust_env=False)
