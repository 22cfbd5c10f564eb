"""Orders that a run obeyed and nobody wrote down: given again, they are not obeyed twice."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from models.stores import runs
from models.tables.runs import RunControl
from services import controls, executions, repairs
from services.controls import Action
from services.reconciler import Reconciler
from services.repairs import Wish
from tests.temporal.conftest import Stack
from tests.temporal.test_deep_orders import ask, begin, give, seen
from tests.temporal.test_loops import echo
from tests.temporal.test_repair import ended, flaky

STEERED: dict[str, Any] = {
    "name": "deep",
    "failure_policy": "HOLD",
    "parameters": [{"name": "broken", "default": True}, {"name": "note", "default": 0}],
    "tasks": [
        flaky("a", "params.broken"),
        echo("aside", 1),
        ask(),
        {"task_key": "word", "wait_task": {"signal": "word"}, "depends_on": [{"task_key": "ask"}]},
        echo("last", "{{ params.note }}", "a", "word"),
    ],
}
ORDERS: dict[str, tuple[Action, str | None, dict[str, Any]]] = {
    "retry": (Action.RETRY, "a", {}),
    "skip": (Action.SKIP, "a", {}),
    "set_result": (Action.SET_RESULT, "a", {"values": {"value": 7}}),
    "change": (Action.CHANGE, None, {"parameters": {"note": 1}}),
    "signal": (Action.SIGNAL, None, {"name": "word", "payload": 1}),
    "hold": (Action.PAUSE, "last", {}),
    "repair": (Action.REPAIR, None, {"tasks": ["a"]}),
    "approve": (Action.APPROVE, "ask", {}),
    "pause": (Action.PAUSE, None, {}),
}


def _goes_on(stack: Stack, run_id: str) -> None:
    """Nothing has come since."""


def _continues_as_new(stack: Stack, run_id: str) -> None:
    handle = stack.temporal.client.get_workflow_handle(f"deep/{run_id}")

    def execution() -> str | None:
        return stack.temporal.run(handle.describe()).run_id

    before = execution()
    give(stack, run_id, Action.REPAIR, tasks=["aside"])
    stack.wait_for(lambda _: execution() != before or None)


def _ends(stack: Stack, run_id: str) -> None:
    give(stack, run_id, Action.CANCEL)
    ended(stack, run_id)


def _continues_and_ends(stack: Stack, run_id: str) -> None:
    _continues_as_new(stack, run_id)
    _ends(stack, run_id)


@pytest.mark.parametrize("then", [_goes_on, _continues_as_new, _ends, _continues_and_ends])
def test_an_order_obeyed_and_not_written_down_is_obeyed_once(
    stack: Stack, then: Callable[[Stack, str], None]
) -> None:
    job_id = stack.save(STEERED)
    for name, (action, key, more) in ORDERS.items():
        run_id = stack.start(job_id)
        seen(stack, run_id, "ask", "waiting")
        stack.ended(run_id, "a")
        stack.ended(run_id, "aside")
        answer = give(stack, run_id, action, key, **more)
        _forget_answer(stack, run_id)
        then(stack, run_id)
        stack.temporal.run(Reconciler(stack.db, stack.temporal.client, timedelta()).deliver())
        (order, *_) = orders = _orders(stack, run_id)
        assert (name, order.state, order.answer) == (name, controls.APPLIED, answer)
        if then is not _ends and then is not _continues_and_ends:
            _ends(stack, run_id)
        assert _told(stack, run_id) == Counter(filter(None, map(_logged, orders))), name


def test_a_terminated_run_tells_of_it_again(stack: Stack) -> None:
    run_id = begin(stack, ask())
    give(stack, run_id, Action.TERMINATE)
    ended(stack, run_id)
    _forget_answer(stack, run_id)
    stack.temporal.run(Reconciler(stack.db, stack.temporal.client, timedelta()).deliver())
    (order,) = _orders(stack, run_id)
    assert (order.state, order.answer) == (controls.APPLIED, {"state": "terminated"})


def test_an_order_to_an_execution_is_none_to_its_repair(stack: Stack) -> None:
    run_id = stack.start(stack.save(STEERED))
    stack.ended(run_id, "a")
    give(stack, run_id, Action.CHANGE, parameters={"note": 1})
    _forget_answer(stack, run_id)
    _ends(stack, run_id)
    with stack.db.write() as session:
        _, launch = repairs.record(session, stack.actor, run_id, Wish())
    stack.temporal.run(executions.start(stack.temporal.client, launch))
    stack.temporal.run(Reconciler(stack.db, stack.temporal.client, timedelta()).deliver())
    assert _orders(stack, run_id)[0].state == controls.REFUSED
    _ends(stack, run_id)
    assert _told(stack, run_id) == Counter(change=1)


def _forget_answer(stack: Stack, run_id: str) -> None:
    """Leave the order as a process leaves it that dies before it writes the answer down."""
    with stack.db.write() as session:
        lost = update(RunControl).where(RunControl.run_id == run_id)
        session.execute(lost.values(state=controls.PENDING, answer={}))


def _orders(stack: Stack, run_id: str) -> list[RunControl]:
    with stack.db.read() as session:
        found = session.query(RunControl).filter_by(run_id=run_id)
        return sorted(found, key=lambda order: order.created_at)


def _logged(order: RunControl) -> str | None:
    """Return how a run's log names an order; of some it shows but what came of them."""
    whole = "task_key" not in order.arguments
    other = {Action.PAUSE: None if whole else "hold", Action.APPROVE: None, Action.CANCEL: None}
    return other.get(Action(order.action), order.action)


def _told(stack: Stack, run_id: str) -> Counter[str]:
    """Count the orders in the log of a run that has ended."""
    stack.events(run_id)
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0, limit=10_000)
    return Counter(event.body["order"] for event in events if event.kind == "order")
