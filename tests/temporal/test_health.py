"""Rules of a job's health: found broken while the run goes on, told once, and acted upon."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session
from temporalio.client import WorkflowFailureError

from models.stores import notifications, runs
from racine.definitions.health import next_deadline
from racine.definitions.validation import examine
from tests.temporal.conftest import Stack

WAIT = {"task_key": "long", "wait_task": {"duration_seconds": 60}}


def noop(key: str, *upstream: str) -> dict[str, Any]:
    edges = [{"task_key": up} for up in upstream]
    return {"task_key": key, "noop_task": {}, "depends_on": edges}


def longer(seconds: float, metric: str = "RUN_DURATION_SECONDS", **more: Any) -> dict[str, Any]:
    return {"metric": metric, "value": seconds, **more}


def start(stack: Stack, health: dict[str, Any], **more: Any) -> str:
    document = {"name": "watched", "health": health, "tasks": [noop("a"), WAIT]}
    return stack.start(stack.save({**document, **more}))


def broken(stack: Stack, run_id: str) -> list[dict[str, Any]]:
    """Wait for breaches in the run's log and return them."""

    def look(session: Session) -> list[dict[str, Any]] | None:
        return [event.body for event in runs.breaches(session, run_id)] or None

    return stack.wait_for(look)


def ended(stack: Stack, run_id: str) -> tuple[str, dict[str, Any] | None]:
    """Wait for the run's workflow to close; return state and error as the index has them."""
    with suppress(WorkflowFailureError):
        stack.result(run_id)
    with stack.db.read() as session:
        run = runs.get(session, run_id)
        return run.state, run.error


def inbox(stack: Stack) -> list[tuple[str, str]]:
    with stack.db.read() as session:
        found = session.scalars(notifications.inbox("ws_1", "usr_1"))
        return [(left.subject, left.severity) for left in found]


def test_a_run_that_takes_too_long_is_told_once_and_goes_on(stack: Stack) -> None:
    short = {"task_key": "long", "wait_task": {"duration_seconds": 1.5}}
    document: dict[str, Any] = {
        "name": "watched", "tasks": [short], "health": {"rules": [longer(0.3), longer(50)]},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    (breach,) = broken(stack, run_id)
    assert (breach["metric"], breach["value"]) == ("RUN_DURATION_SECONDS", 0.3)
    assert inbox(stack) == [("watched: The run takes longer than 0.3 s.", "warning")]
    assert stack.result(run_id).state == "completed"
    with stack.db.read() as session:
        assert len(runs.breaches(session, run_id)) == 1


def test_a_breach_can_cancel_or_fail_the_run(stack: Stack) -> None:
    cleanup = {"finally": [noop("clean")]}
    cancelled = start(stack, {"rules": [longer(0.3)], "on_breach": "cancel"}, **cleanup)
    assert ended(stack, cancelled)[0] == "cancelled"
    assert ("clean", "succeeded") in stack.events(cancelled)
    rules = [longer(0.3, on_breach="fail")]
    failed = start(stack, {"rules": rules}, name="failing", **cleanup)
    error = {"code": "health", "message": "The run takes longer than 0.3 s.", "task_key": ""}
    assert ended(stack, failed) == ("failed", error)
    assert ("clean", "succeeded") in stack.events(failed)


def test_a_task_that_takes_too_long_is_named(stack: Stack) -> None:
    rule = longer(0.3, "TASK_DURATION_SECONDS")
    run_id = start(stack, {"rules": [rule], "on_breach": "cancel"})
    assert ended(stack, run_id)[0] == "cancelled"
    (breach,) = broken(stack, run_id)
    assert (breach["task_key"], breach["rule"]) == ("long", "0")
    assert breach["message"] == "Task 'long' takes longer than 0.3 s."


def test_tasks_within_their_time_break_nothing(stack: Stack) -> None:
    rules = [longer(30, "TASK_DURATION_SECONDS", task_key="a"), longer(30)]
    document: dict[str, Any] = {
        "name": "quick", "tasks": [noop("a"), noop("b", "a")],
        "health": {"rules": rules, "deadline": "07:00"},
    }  # fmt: skip
    run_id = stack.start(stack.save(document))
    assert stack.result(run_id).state == "completed"
    with stack.db.read() as session:
        assert runs.breaches(session, run_id) == []


def test_a_run_without_rules_sets_no_timer(stack: Stack) -> None:
    run_id = stack.start(stack.save({"name": "plain", "tasks": [noop("a")]}))
    stack.result(run_id)
    handle = stack.temporal.client.get_workflow_handle(f"plain/{run_id}")
    events = stack.temporal.run(handle.fetch_history()).events
    assert not [e for e in events if e.HasField("timer_started_event_attributes")]


@pytest.mark.parametrize(
    ("began", "deadline", "zone", "wanted"),
    [
        ("2026-11-21T02:00:00+00:00", "07:00", "UTC", "2026-11-21T07:00:00+00:00"),
        ("2026-11-21T07:00:00+00:00", "07:00", "UTC", "2026-11-22T07:00:00+00:00"),
        ("2026-11-21T06:30:00+00:00", "07:00", "Europe/Berlin", "2026-11-22T06:00:00+00:00"),
        # The clocks change in between: an hour later by UTC in summer than in winter.
        ("2026-10-24T12:00:00+00:00", "07:00", "Europe/Berlin", "2026-10-25T06:00:00+00:00"),
        ("2026-03-28T12:00:00+00:00", "07:00", "Europe/Berlin", "2026-03-29T05:00:00+00:00"),
    ],
)
def test_a_deadline_is_the_next_such_time_of_day(
    began: str, deadline: str, zone: str, wanted: str
) -> None:
    found = next_deadline(datetime.fromisoformat(began), deadline, zone)
    assert found.astimezone(UTC) == datetime.fromisoformat(wanted)


def test_rules_that_cannot_be_watched_are_refused_when_saved() -> None:
    health = {
        "timezone_id": "Europe/Nowhere",
        "rules": [longer(1, task_key="a"), longer(1, "TASK_DURATION_SECONDS", task_key="none")],
    }
    report = examine({"name": "bad", "health": health, "tasks": [noop("a")]})
    assert [fault.pointer for fault in report.faults] == [
        "/health/timezone_id", "/health/rules/0/task_key", "/health/rules/1/task_key",
    ]  # fmt: skip
