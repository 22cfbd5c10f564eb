"""Whatever is killed at whatever moment: what was answered has happened, once."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
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
from tests.chaos.parts import WORKERS, ends_of_tasks, parts, racine, wait_for_state
from tests.eventually import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
__all__ = ["parts", "racine"]

_RUNS = "/api/racine/workflows"
_KILLS = 10
_CLIENTS = 4


def _fails(key: str, when: str) -> dict[str, Any]:
    """Return a task that is tried once, and fails while a condition holds."""
    given = {"operation": "racine.noop", "input": {"value": f"{{{{ {when} ? 1 / 0 : 1 }}}}"}}
    return {"task_key": key, "operation_task": given, "depends_on": [{"task_key": "before"}],
            "retry_policy": {"maximum_attempts": 1}}  # fmt: skip


def _after(*keys: str) -> dict[str, Any]:
    return {"depends_on": [{"task_key": key} for key in keys]}


_SECOND = {"signal": "word", "timeout_seconds": 1, "on_timeout": "CONTINUE"}
_LAST = {"operation": "racine.noop", "input": {"value": "{{ params.note }}"}}
STEERED: dict[str, Any] = {
    "name": "steered",
    "failure_policy": "HOLD",
    "parameters": [{"name": "broken", "default": True}, {"name": "note", "default": ""}],
    "tasks": [
        {"task_key": "before", "operation_task": {"operation": "racine.noop"}},
        {"task_key": "ask", "approval_task": {"self_approval": True}, **_after("before")},
        {"task_key": "word", "wait_task": {"signal": "word"}, **_after("ask")},
        {"task_key": "twice", "wait_task": _SECOND, **_after("word")},
        _fails("anew", "params.broken"),
        _fails("stale", "params.broken"),
        _fails("out", "true"),
        _fails("given", "true"),
        {
            "task_key": "last",
            "operation_task": _LAST,
            **_after("twice", "anew", "stale", "out", "given"),
        },
    ],
    "outputs": {
        "word": "{{ tasks.word.values.payload }}",
        "doubled": "{{ tasks.twice.values.received }}",
        "given": "{{ tasks.given.values.value }}",
        "note": "{{ tasks.last.values.value }}",
    },
}
"""A run that ends only when it has obeyed to skip, set_result, approve, signal and repair."""

ONCE = ("before", "ask", "word", "twice")
"""Tasks that no order has run again."""

ORDERS: dict[str, dict[str, Any]] = {
    "change": {"parameters": {"note": "RUN"}},
    "skip": {"task_key": "out"},
    "set_result": {"task_key": "given", "values": {"value": "RUN"}},
    "pause": {"task_key": "last"},
    "resume": {"task_key": "last"},
    "approve": {"task_key": "ask"},
    "signal": {"payload": "RUN"},
    "retry": {"task_key": "anew"},
    "repair": {"parameters": {"broken": False}},
}
"""What is ordered, in an order in which all can be obeyed; RUN stands for the run's id."""


def _ordered(run_id: str, action: str, number: int) -> tuple[str, dict[str, Any]]:
    """Return path and body of a try to give an order."""
    body = json.loads(json.dumps(ORDERS[action]).replace("RUN", run_id))
    path = {"signal": "signals/word", "repair": "repair"}.get(action, "control")
    if action != "repair":
        body["request_id"] = f"{run_id}-{action}-{number}"
    if path == "control":
        body["action"] = action
    return f"{_RUNS}/executions/{run_id}/{path}", body


@dataclass
class Accepted:
    """What the API has answered with success."""

    runs: dict[str, str] = field(default_factory=dict)
    """By idempotency key."""
    orders: set[tuple[str, str]] = field(default_factory=set)
    """Runs and what they were ordered."""

    def count(self) -> int:
        return len(self.runs) + len(self.orders)

    def more_than(self, many: int) -> bool:
        return self.count() > many

    def is_varied(self) -> bool:
        """Tell whether every order was accepted more than once."""
        many = Counter(action for _, action in self.orders.copy())
        return all(many[action] > 1 for action in ORDERS)


def test_no_accepted_start_approval_or_signal_is_lost_or_doubled(
    parts: Processes, racine: Client, tmp_path: Path
) -> None:
    """Nor any other order: to retry, skip, settle by hand, change, hold, release or repair."""
    job_id = racine.apply(STEERED)["id"]
    accepted, over = Accepted(), threading.Event()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        calls = [pool.submit(_call, parts.api, job_id, n, accepted, over) for n in range(_CLIENTS)]
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
        _wait_for_answers(ask)
        rows = ask("SELECT run_id, action, state FROM run_controls")
        assert accepted.orders <= {(run_id, action) for run_id, action, _ in rows}
        # What was refused came before its task asked, and is told so; all else has to show.
        obeyed = Counter((run_id, action) for run_id, action, state in rows if state == "applied")
        for run_id in started:
            _give_what_is_missing(racine, run_id, obeyed)
        _wait_for_answers(ask)
        for run_id in started:
            _see_all_obeyed_once(racine, ask, tmp_path, run_id)


def test_orders_outlive_the_api_that_took_them_while_nobody_could_obey(
    parts: Processes, racine: Client, tmp_path: Path
) -> None:
    racine.apply(STEERED)
    goes, cancelled, paused, rejected = (racine.run("steered") for _ in range(4))

    def asks(run_id: str) -> bool:
        tasks = {task["key"]: task for task in racine.graph(run_id)["tasks"]}
        failed = all(tasks[key]["state"] == "failed" for key in ("anew", "stale", "out", "given"))
        return failed and "1 approval" in tasks["ask"]["waiting"]

    for run_id in (goes, cancelled, paused, rejected):
        eventually(partial(asks, run_id), f"{run_id} asks", 120)
    for name in WORKERS:
        parts.kill(name)
    orders = [racine.post(*_ordered(goes, action, 0)) for action in ORDERS]
    orders += [
        racine.control(cancelled, "cancel"),
        racine.control(paused, "pause"),
        racine.control(rejected, "reject", task_key="ask"),
    ]
    late = racine.run("steered")
    parts.kill("api")
    assert {order["state"] for order in orders} == {"pending"}

    for name in ("api", *WORKERS):
        parts.start(name)
    wait_for_state(racine, goes)
    with _rows(tmp_path) as ask:
        _wait_for_answers(ask)
        assert {row[0] for row in ask("SELECT state FROM run_controls")} == {"applied"}
        _see_all_obeyed_once(racine, ask, tmp_path, goes)
    wait_for_state(racine, cancelled, "cancelled")
    wait_for_state(racine, paused, "paused")
    eventually(lambda: _state(racine, rejected, "ask") == "failed", "it is rejected", 120)
    eventually(lambda: asks(late), "the run of the last moment has begun", 120)
    for run_id in (paused, rejected, late):
        racine.control(run_id, "terminate")
        wait_for_state(racine, run_id, "terminated")


def _kill_at_random(parts: Processes, dice: Random, accepted: Accepted) -> None:
    """Kill one part after the other, each once something was accepted since the last."""
    names = ["api", "workflows", "activities", "temporal"]
    kills = 0
    while kills < _KILLS or not accepted.is_varied():
        kills += 1
        eventually(partial(accepted.more_than, accepted.count()), "something is accepted", 120)
        time.sleep(dice.uniform(0, 1.5))
        name = dice.choice(names)
        parts.kill(name)
        time.sleep(dice.uniform(0, 1))
        parts.start(name)


def _call(url: str, job_id: str, caller: int, accepted: Accepted, over: threading.Event) -> None:
    """Start runs and steer them, repeating what was not answered under the same key."""
    token, dice = signed_in(url, ADMIN_EMAIL, PASSWORD), Random(caller)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=url, headers=headers, timeout=10, trust_env=False) as http:
        for number in range(10_000):
            key = f"c{caller}-{number}"
            run_id = _insist(http, f"{_RUNS}/{job_id}/execute", {}, key, over)
            if run_id is None:
                return
            accepted.runs[key] = run_id
            for action in dice.sample(list(ORDERS), len(ORDERS)):
                _steer(http, run_id, action, accepted, over)


def _steer(
    http: httpx.Client, run_id: str, action: str, accepted: Accepted, over: threading.Event
) -> None:
    """Give an order; a run that cannot obey it yet refuses, and a new order is needed."""
    for number in range(10):
        path, body = _ordered(run_id, action, number)
        if _insist(http, path, body, f"{run_id}-{action}-{number}", over):
            accepted.orders.add((run_id, action))
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
                return str(answer.json().get("id") or "accepted")
            assert answer.status_code != 500, answer.text
            if answer.status_code == 409 and "lost" in answer.text:
                key += "+"
            elif answer.status_code == 409 and not path.endswith("execute"):
                return None
        time.sleep(0.1)
    return None


def _give_what_is_missing(racine: Client, run_id: str, obeyed: Counter[tuple[str, str]]) -> None:
    """Give a run the orders that it was not given yet, until it has ended.

    What a run has obeyed is not given again: if that were lost, it would wait for ever.
    """
    missing = [action for action in ORDERS if not obeyed[run_id, action]]
    if obeyed[run_id, "pause"] > obeyed[run_id, "resume"] and "resume" not in missing:
        missing.append("resume")

    numbers = count(100)  # an order that was refused stays so: each try is a new one

    def ended() -> bool:
        if racine.run_detail(run_id)["state"] == "completed":
            return True
        number = next(numbers)
        # A task that is tried once fails for good with its worker: only another repair helps.
        for action in [*missing] or ["repair"]:
            with suppress(RacineError):
                racine.post(*_ordered(run_id, action, number))
                if action in missing:
                    missing.remove(action)
        return False

    eventually(ended, f"{run_id} ends", 120)


def _wait_for_answers(ask: Any) -> None:
    pending = "SELECT id FROM run_controls WHERE state = 'pending'"
    eventually(lambda: not ask(pending), "all orders are answered", 120)


def _see_all_obeyed_once(racine: Client, ask: Any, folder: Path, run_id: str) -> None:
    """Compare what the run says that it was ordered, and what came of it, with the orders."""
    obeyed = Counter(
        {"pause": "hold", "resume": "release"}.get(action, action)
        for (action,) in ask(
            f"SELECT action FROM run_controls WHERE run_id = '{run_id}' AND state = 'applied'"
        )
    )
    tries = 1 + obeyed["retry"] + obeyed["repair"]
    assert obeyed.pop("approve") == 1
    events = f"SELECT body FROM run_events WHERE run_id = '{run_id}' AND kind = 'order'"
    # The log's last batch lands after the run's end.
    eventually(lambda: len(ask(events)) >= obeyed.total(), f"{run_id} tells its orders")
    assert Counter(json.loads(body)["order"] for (body,) in ask(events)) == obeyed
    once = Counter((key, "succeeded") for key in ONCE)
    eventually(lambda: ends_of_tasks(folder, run_id) >= once, f"{run_id} tells every end")
    ends = ends_of_tasks(folder, run_id)
    assert Counter({end: count for end, count in ends.items() if end[0] in ONCE}) == once
    assert 1 <= ends["anew", "succeeded"] + ends["anew", "failed"] <= tries
    outputs = racine.run_detail(run_id)["outputs"]
    # Who heard nothing of a signal may have given another, which may have come in time.
    assert outputs.pop("doubled") <= (obeyed["signal"] > 1)
    note = run_id if obeyed["change"] else ""
    assert outputs == {"word": run_id, "given": run_id, "note": note}


def _state(racine: Client, run_id: str, key: str) -> str:
    return str({t["key"]: t for t in racine.graph(run_id)["tasks"]}[key]["state"])


@contextmanager
def _rows(folder: Path) -> Iterator[Any]:
    engine = create_engine(f"sqlite:///{folder}/racine.db")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield lambda query: [tuple(row) for row in connection.execute(text(query))]
    engine.dispose()
