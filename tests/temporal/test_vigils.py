"""Rules of a job's health that are watched beside the run: queues, backlogs, loops."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.names import queue_named
from models.session import Database
from models.stores import notifications, runs
from racine.definitions.validation import examine
from services import executions, vigils
from tests.temporal.conftest import Stack

NAP: dict[str, Any] = {"task_key": "nap", "wait_task": {"duration_seconds": 60}}


def rule(metric: str, **more: Any) -> dict[str, Any]:
    return {"metric": metric, "value": 0.2, **more}


def noop(key: str, **more: Any) -> dict[str, Any]:
    return {"task_key": key, "operation_task": {"operation": "racine.noop"}, **more}


def breaches(db: Database, run_id: str) -> list[dict[str, Any]]:
    with db.read() as session:
        return [event.body for event in runs.breaches(session, run_id)]


def watch(stack: Stack, run_id: str) -> dict[str, Any]:
    """Go on watching until a breach is told; return it, having seen that it is told once."""
    duty = vigils.Duty(stack.db, stack.temporal.client, look_every=0)
    deadline = time.monotonic() + 60
    while not breaches(stack.db, run_id):
        assert time.monotonic() < deadline, "no breach was told"
        stack.temporal.run(duty())
        time.sleep(0.05)
    stack.temporal.run(duty())
    (breach,) = breaches(stack.db, run_id)
    return breach


def subjects(stack: Stack) -> list[str]:
    with stack.db.read() as session:
        found = session.scalars(notifications.inbox("ws_1", "usr_1"))
        return [left.subject for left in found]


def state(stack: Stack, run_id: str) -> str:
    with stack.db.read() as session:
        return runs.state_of(session, run_id)


def two_of_one(stack: Stack, **health: Any) -> str:
    """Record two runs of which one may go on; return the one that is queued."""
    document = {"name": "single", "max_concurrent_runs": 1, "tasks": [NAP], "health": health}
    job_id = stack.save(document)
    with stack.db.write() as session:
        launches = [executions.record(session, stack.actor, job_id, {}) for _ in range(2)]
    return launches[1].run_id


def test_a_run_that_is_queued_too_long_is_told(idle_stack: Stack) -> None:
    run_id = two_of_one(idle_stack, rules=[rule("RUN_QUEUE_SECONDS")])
    breach = watch(idle_stack, run_id)
    assert (breach["metric"], breach["value"]) == ("RUN_QUEUE_SECONDS", 0.2)
    assert subjects(idle_stack) == ["single: The run has been queued for longer than 0.2 s."]
    assert state(idle_stack, run_id) == "queued"


@pytest.mark.parametrize(("on_breach", "end"), [("cancel", "cancelled"), ("fail", "failed")])
def test_a_run_can_leave_the_queue_for_it(idle_stack: Stack, on_breach: str, end: str) -> None:
    run_id = two_of_one(idle_stack, rules=[rule("RUN_QUEUE_SECONDS")], on_breach=on_breach)
    watch(idle_stack, run_id)
    assert state(idle_stack, run_id) == end


def test_a_task_that_waits_for_a_worker_is_told_by_its_path(stack: Stack) -> None:
    away = noop("away", task_queue="nobody")
    loop = {"task_key": "each", "for_each_task": {"inputs": [1, 2], "tasks": [away]}}
    document: dict[str, Any] = {
        "name": "backlog", "tasks": [loop, NAP],
        "health": {"rules": [rule("TASK_QUEUE_SECONDS"), rule("TASK_QUEUE_SECONDS",
                                                              task_key="nap")]},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    breach = watch(stack, run_id)
    assert (breach["rule"], breach["task_key"][:5]) == ("0", "each[")
    assert "has waited for a worker longer than 0.2 s" in breach["message"]
    assert queue_named("nobody") != queue_named(None)


def test_a_backlog_can_cancel_the_run(stack: Stack) -> None:
    document: dict[str, Any] = {
        "name": "backlog", "tasks": [noop("away", task_queue="nobody")],
        "health": {"rules": [rule("TASK_QUEUE_SECONDS", on_breach="cancel")]},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    watch(stack, run_id)
    assert stack.wait_for(lambda s: runs.state_of(s, run_id) == "cancelled" or None, 60)


@pytest.mark.parametrize("items", [2, 150], ids=["inline", "in workflows of their own"])
def test_an_iteration_that_takes_too_long_is_told_by_its_path(stack: Stack, items: int) -> None:
    each = {"inputs": list(range(items)), "concurrency": 2, "tasks": [noop("quick"), NAP]}
    document: dict[str, Any] = {
        "name": "loops", "tasks": [{"task_key": "each", "for_each_task": each}],
        "health": {"rules": [rule("TASK_DURATION_SECONDS", task_key="each.nap",
                                  on_breach="cancel")]},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    breach = watch(stack, run_id)
    assert breach["task_key"] in ("each[0].nap", "each[1].nap")
    assert "takes longer than 0.2 s" in breach["message"]
    assert stack.wait_for(lambda s: runs.state_of(s, run_id) == "cancelled" or None, 60)


def test_what_keeps_its_time_breaks_nothing(stack: Stack) -> None:
    each = {"inputs": [1, 2, 3], "tasks": [noop("quick")]}
    late = {"value": 3600.0}
    rules = [
        {**rule("RUN_QUEUE_SECONDS"), **late},
        {**rule("TASK_QUEUE_SECONDS"), **late},
        {**rule("TASK_DURATION_SECONDS", task_key="each.quick"), **late},
    ]
    document: dict[str, Any] = {
        "name": "calm", "tasks": [{"task_key": "each", "for_each_task": each}, NAP],
        "health": {"rules": rules},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    stack.wait_for(lambda s: runs.begun_before(s, run_id, "nap", datetime.now(UTC)) or None)
    duty = vigils.Duty(stack.db, stack.temporal.client, look_every=0)
    stack.temporal.run(duty())
    assert breaches(stack.db, run_id) == []


def test_rules_that_nobody_could_keep_are_refused_when_saved() -> None:
    loop = {"task_key": "each", "for_each_task": {"inputs": [1], "tasks": [noop("quick")]}}
    rules = [
        rule("RUN_QUEUE_SECONDS", task_key="each"),
        rule("TASK_QUEUE_SECONDS", task_key="each.none"),
        rule("TASK_DURATION_SECONDS", task_key="each.quick", on_breach="fail"),
        rule("TASK_DURATION_SECONDS", task_key="each.quick"),
        rule("TASK_QUEUE_SECONDS", on_breach="fail"),
    ]
    report = examine({"name": "bad", "health": {"rules": rules}, "tasks": [loop]})
    assert [fault.pointer for fault in report.faults] == [
        "/health/rules/0/task_key", "/health/rules/1/task_key", "/health/rules/2/on_breach",
        "/health/rules/4/on_breach",
    ]  # fmt: skip
    assert all(fault.next_step for fault in report.faults)
