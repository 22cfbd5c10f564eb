"""Orders that reach a run all at once, as after a time without any worker."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from models.stores import runs
from services import controls
from services.controls import Action
from services.reconciler import Reconciler
from tests.temporal.conftest import Stack, run_workers
from tests.temporal.test_deep_orders import seen
from tests.temporal.test_lost_answers import STEERED


def test_a_repair_right_after_an_approval_and_a_signal_loses_neither(idle_stack: Stack) -> None:
    stack = idle_stack
    with run_workers(stack):
        run_id = stack.start(stack.save(STEERED))
        seen(stack, run_id, "ask", "waiting")
        stack.ended(run_id, "a")
    made: list[tuple[Action, dict[str, Any]]] = [
        (Action.APPROVE, {"task_key": "ask"}),
        (Action.SIGNAL, {"arguments": {"name": "word", "payload": 1}}),
        (Action.RETRY, {"task_key": "a"}),
        (Action.REPAIR, {"arguments": {"tasks": ["aside"], "parameters": {"broken": False}}}),
    ]
    with stack.db.write() as session:
        orders = [controls.record(session, stack.actor, run_id, *order) for order in made]

    async def give() -> None:
        await asyncio.gather(
            *(controls.deliver(stack.db, stack.temporal.client, order) for order in orders)
        )

    stack.temporal.run(give())
    with run_workers(stack):
        reconciler = Reconciler(stack.db, stack.temporal.client, grace=timedelta())
        stack.temporal.run(reconciler.deliver())
        assert stack.result(run_id).state == "completed"
        stack.events(run_id)
    with stack.db.read() as session:
        events = runs.events_after(session, run_id, 0, limit=10_000)
    ends = Counter(event.task_key for event in events if event.kind == "succeeded")
    assert {key: ends[key] for key in ("ask", "word")} == {"ask": 1, "word": 1}
