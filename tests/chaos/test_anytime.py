"""Whatever is killed at whatever moment: what was answered has happened, once."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text

from bench.processes import PASSWORD, Processes
from racine.client import Client, signed_in
from racine.errors import RacineError
from services.bootstrap import ADMIN_EMAIL
from tests.chaos.parts import WORKERS, parts, racine, wait_for_state
from tests.local.stack import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
__all__ = ["parts", "racine"]

_RUNS = "/api/racine/workflows"
_KILLS = 10
_ACCEPTED = 20
_CLIENTS = 4
ASKING: dict[str, Any] = {
    "name": "asking",
    "tasks": [
        {"task_key": "before", "operation_task": {"operation": "racine.noop"}},
        {
            "task_key": "ask",
            "approval_task": {"self_approval": True},
            "depends_on": [{"task_key": "before"}],
        },
        {
            "task_key": "word",
            "wait_task": {"signal": "word"},
            "depends_on": [{"task_key": "ask"}],
        },
        {
            "task_key": "twice",
            "wait_task": {"signal": "word", "timeout_seconds": 1, "on_timeout": "CONTINUE"},
            "depends_on": [{"task_key": "word"}],
        },
        {
            "task_key": "after",
            "operation_task": {"operation": "racine.noop"},
            "depends_on": [{"task_key": "twice"}],
        },
    ],
    "outputs": {
        "word": "{{ tasks.word.values.payload }}",
        "doubled": "{{ tasks.twice.values.received }}",
    },
}
TASKS = [task["task_key"] for task in ASKING["tasks"]]


@dataclass
class Accepted:
    """What the API has answered with success."""

    runs: dict[str, str] = field(default_factory=dict)
    """By idempotency key."""
    orders: set[str] = field(default_factory=set)
    """Request ids of approvals and signals."""

    def count(self) -> int:
        return len(self.runs) + len(self.orders)

    def more_than(self, many: int) -> bool:
        return self.count() > many


def test_no_accepted_start_approval_or_signal_is_lost_or_doubled(
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
        eventually(lambda: "pending" not in {row[3] for row in _orders(ask)}, "all are answered")
        orders = _orders(ask)
        assert accepted.orders <= {request_id for request_id, *_ in orders}
        # What was refused came before its task asked, and is told so; all else has to show.
        obeyed = {(run_id, action) for _, run_id, action, state in orders if state == "applied"}
        for run_id in started:
            _give_what_is_missing(racine, run_id, obeyed)
        once = Counter((run_id, key) for run_id in started for key in TASKS)
        eventually(lambda: _ends(ask) >= once, "every end is told")
        assert _ends(ask) == once
        for run_id in started:
            wanted = {"word": run_id, "doubled": False}
            assert racine.run_detail(run_id)["outputs"] == wanted


def test_orders_outlive_the_api_that_took_them_while_nobody_could_obey(
    parts: Processes, racine: Client
) -> None:
    racine.apply(ASKING)
    goes, cancelled, paused, rejected = (racine.run("asking") for _ in range(4))

    def asks(run_id: str) -> bool:
        waiting = {task["key"]: task["waiting"] for task in racine.graph(run_id)["tasks"]}
        return "1 approval" in waiting["ask"]

    for run_id in (goes, cancelled, paused, rejected):
        eventually(partial(asks, run_id), f"{run_id} asks", 120)
    for name in WORKERS:
        parts.kill(name)
    orders = [
        racine.control(goes, "approve", task_key="ask"),
        racine.signal(goes, "word", goes),
        racine.control(cancelled, "cancel"),
        racine.control(paused, "pause"),
        racine.control(rejected, "reject", task_key="ask"),
    ]
    late = racine.run("asking")
    parts.kill("api")
    assert {order["state"] for order in orders} == {"pending"}

    for name in ("api", *WORKERS):
        parts.start(name)
    wait_for_state(racine, goes)
    assert racine.run_detail(goes)["outputs"] == {"word": goes, "doubled": False}
    wait_for_state(racine, cancelled, "cancelled")
    wait_for_state(racine, paused, "paused")
    wait_for_state(racine, rejected, "failed")
    eventually(lambda: asks(late), "the run of the last moment has begun", 120)
    for run_id in (paused, late):
        racine.control(run_id, "terminate")
        wait_for_state(racine, run_id, "terminated")


def _kill_at_random(parts: Processes, dice: Random, accepted: Accepted) -> None:
    """Kill one part after the other, each once something was accepted since the last."""
    names = ["api", "workflows", "activities", "temporal"]
    kills = 0
    while kills < _KILLS or len(accepted.orders) < _ACCEPTED:
        kills += 1
        eventually(partial(accepted.more_than, accepted.count()), "something is accepted", 120)
        time.sleep(dice.uniform(0, 1.5))
        name = dice.choice(names)
        parts.kill(name)
        time.sleep(dice.uniform(0, 1))
        parts.start(name)


def _call(url: str, job_id: str, caller: str, accepted: Accepted, over: threading.Event) -> None:
    """Start, approve and signal runs, repeating what was not answered under the same key."""
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
            order = f"{_RUNS}/executions/{run_id}/signals/word"
            if _insist(http, order, _word(run_id), f"{key}-word", over):
                accepted.orders.add(f"word-{run_id}")


def _approve(
    http: httpx.Client, path: str, run_id: str, accepted: Accepted, over: threading.Event
) -> None:
    """Approve a run; as long as it has not asked yet it refuses, and a new order is needed."""
    for number in range(20):
        key = f"{run_id}-{number}"
        order = {"action": "approve", "task_key": "ask", "request_id": key}
        if _insist(http, path, order, key, over):
            accepted.orders.add(key)
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
            if answer.status_code == 409 and "lost" in answer.text:
                key += "+"
            elif answer.status_code == 409 and path.endswith("control"):
                return None
        time.sleep(0.1)
    return None


def _word(run_id: str) -> dict[str, Any]:
    """Return the run's signal, which is one however often it is given."""
    return {"payload": run_id, "request_id": f"word-{run_id}"}


def _give_what_is_missing(racine: Client, run_id: str, obeyed: set[tuple[str, str]]) -> None:
    """Approve and signal a run that was given neither yet, until it has ended.

    What a run has obeyed is not given again: if that were lost, it would wait for ever.
    """

    def ended() -> bool:
        if racine.run_detail(run_id)["state"] == "completed":
            return True
        if (run_id, "approve") not in obeyed:
            with suppress(RacineError):
                racine.control(run_id, "approve", task_key="ask")
        if (run_id, "signal") not in obeyed:
            with suppress(RacineError):
                racine.signal(run_id, "word", **_word(run_id))
        return False

    eventually(ended, f"{run_id} ends", 120)


@contextmanager
def _rows(folder: Path) -> Iterator[Any]:
    engine = create_engine(f"sqlite:///{folder}/racine.db")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda query: [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()


def _orders(ask: Any) -> list[tuple[str, str, str, str]]:
    """Return request id, run, action and state of every order."""
    return list(ask("SELECT request_id, run_id, action, state FROM run_controls"))


def _ends(ask: Any) -> Counter[tuple[str, str]]:
    rows = ask(
        "SELECT run_id, task_key FROM run_events WHERE kind = 'succeeded' AND task_key != ''"
    )
    return Counter(rows)
