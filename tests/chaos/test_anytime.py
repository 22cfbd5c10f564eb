"""Whatever is killed at whatever moment: what was answered has happened, once."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from bench.processes import PASSWORD, Processes
from racine.client import Client, signed_in
from services.bootstrap import ADMIN_EMAIL
from tests.chaos.parts import parts, racine
from tests.local.stack import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
__all__ = ["parts", "racine"]

_RUNS = "/api/racine/workflows"
_KILLS = 12
_ACCEPTED = 20
_CLIENTS = 4
ASKING = {
    "name": "asking",
    "tasks": [
        {"task_key": "before", "operation_task": {"operation": "racine.noop"}},
        {
            "task_key": "ask",
            "approval_task": {"self_approval": True},
            "depends_on": [{"task_key": "before"}],
        },
        {
            "task_key": "after",
            "operation_task": {"operation": "racine.noop"},
            "depends_on": [{"task_key": "ask"}],
        },
    ],
}


@dataclass
class Accepted:
    """What the API has answered with success."""

    runs: dict[str, str] = field(default_factory=dict)
    """By idempotency key."""
    approvals: list[str] = field(default_factory=list)


def test_no_accepted_start_or_approval_is_lost_or_doubled(
    parts: Processes, racine: Client, tmp_path: Path
) -> None:
    job_id = racine.apply(ASKING)["id"]
    accepted, over = Accepted(), threading.Event()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        calls = [
            pool.submit(_call, parts.api, job_id, f"c{n}", accepted, over) for n in range(_CLIENTS)
        ]
        try:
            _kill_at_random(parts, Random(7), accepted)
        finally:
            over.set()
    for call in calls:
        call.result()

    with _rows(tmp_path) as ask:
        started = [row[0] for row in ask("SELECT id FROM runs")]
        assert set(accepted.runs.values()) <= set(started)
        assert len(set(accepted.runs.values())) == len(accepted.runs)
        for run_id in started:
            _approve_until_heard(racine, run_id)
        once = Counter((run_id, key) for run_id in started for key in ("before", "ask", "after"))
        eventually(lambda: _ends(ask) >= once, "every end is told")
        assert _ends(ask) == once
        orders = ask("SELECT state FROM run_controls WHERE state = 'pending'")
        assert orders == []


def _kill_at_random(parts: Processes, dice: Random, accepted: Accepted) -> None:
    """Kill one part after the other, until enough was accepted in between."""
    names = ["api", "workflows", "activities", "temporal"]
    kills = 0
    while kills < _KILLS or len(accepted.approvals) < _ACCEPTED:
        kills += 1
        name = dice.choice(names)
        time.sleep(dice.uniform(0.2, 1.5))
        parts.kill(name)
        time.sleep(dice.uniform(0, 1))
        parts.start(name)


def _call(url: str, job_id: str, caller: str, accepted: Accepted, over: threading.Event) -> None:
    """Start runs and approve them, repeating what was not answered under the same key."""
    token = signed_in(url, ADMIN_EMAIL, PASSWORD)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=10, trust_env=False) as http:
        for number in range(10_000):
            key = f"{caller}-{number}"
            run_id = _insist(http, f"{_RUNS}/{job_id}/execute", {}, key, over)
            if run_id is None:
                return
            accepted.runs[key] = run_id
            _approve(http, f"{_RUNS}/executions/{run_id}/control", run_id, accepted, over)


def _approve(
    http: httpx.Client, path: str, run_id: str, accepted: Accepted, over: threading.Event
) -> None:
    """Approve a run; as long as it has not asked yet it refuses, and a new order is needed."""
    for number in range(20):
        key = f"{run_id}-{number}"
        order = {"action": "approve", "task_key": "ask", "request_id": key}
        if _insist(http, path, order, key, over):
            accepted.approvals.append(run_id)
            return
        over.wait(0.3)


def _insist(
    http: httpx.Client, path: str, body: dict[str, Any], key: str, over: threading.Event
) -> str | None:
    """Ask again until there is an answer that is final, or the test is over."""
    while not over.is_set():
        with suppress(httpx.TransportError):
            answer = http.post(path, json=body, headers={"Idempotency-Key": key})
            if answer.is_success:
                return str(answer.json().get("id") or answer.json()["request_id"])
            assert answer.status_code != 500, answer.text
            if answer.status_code == 409 and path.endswith("control"):
                return None
            if answer.status_code == 409 and "lost" in answer.text:
                key += "+"
        time.sleep(0.1)
    return None


def _approve_until_heard(racine: Client, run_id: str) -> None:
    """Approve what nobody has yet; a run that is not there yet refuses and is asked again."""

    def heard() -> bool:
        if racine.run_detail(run_id)["state"] == "completed":
            return True
        with suppress(Exception):
            racine.control(run_id, "approve", task_key="ask")
        return False

    eventually(heard, f"{run_id} is approved", 120)


@contextmanager
def _rows(folder: Path) -> Iterator[Any]:
    engine = create_engine(f"sqlite:///{folder}/racine.db")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda query: [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()


def _ends(ask: Any) -> Counter[tuple[str, str]]:
    rows = ask(
        "SELECT run_id, task_key FROM run_events WHERE kind = 'succeeded' AND task_key != ''"
    )
    return Counter(rows)
