"""A run that continues as new with more than Temporal takes as a workflow's input."""

import time
from typing import Any

from temporalio.client import WorkflowHistory, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.messages import NOT_NOW, ControlCall
from tests.temporal.conftest import Stack
from tests.temporal.test_carrying import await_event, begin, chain, continued, wait
from tests.temporal.test_loops import echo, loop

LARGE, PART, TIMES = 70, 1_900, 31
SIZE = PART * TIMES


def patiently(order: Any) -> None:
    """Give an order again while the run says that it is about to continue."""
    deadline = time.monotonic() + 60
    while True:
        try:
            order()
            return
        except WorkflowUpdateFailedError as failure:
            cause = failure.cause
            assert isinstance(cause, ApplicationError)
            assert cause.type == NOT_NOW
            assert time.monotonic() < deadline
            time.sleep(0.1)


def fetches(history: WorkflowHistory) -> bool:
    """Tell whether it read what it goes on with from blobs."""
    names = [e.activity_task_scheduled_event_attributes.activity_id for e in history.events]
    return any(name.startswith("racine:fetch:") for name in names)


def test_large_results_and_open_questions_are_carried_by_reference(impatient: Stack) -> None:
    """70 results of 59 KB that a last task reads are 4.1 MB, twice what an input may have."""
    large: list[dict[str, Any]] = [
        echo(f"big{n}", f"{n:02}" + "{{ params.part }}" * TIMES) for n in range(LARGE)
    ]
    values = ", ".join(f"tasks.big{n}.values.value" for n in range(LARGE))
    whole = echo("whole", 1, "ask", *(f"big{n}" for n in range(LARGE)))
    whole["condition"] = f"[{values}].all(value, size(value) == {SIZE + 2})"
    ask = {"task_key": "ask", "approval_task": {"self_approval": True}}
    document = {
        "parameters": [{"name": "part", "default": "x" * PART}],
        "tasks": [*large, *chain(10), ask, whole],
        "outputs": {"whole": "{{ tasks.whole.state }}"},
    }
    run_id, handle = begin(impatient, "heavy", document)
    for key in ("t9", *(f"big{n}" for n in range(LARGE))):
        await_event(impatient, run_id, key, "succeeded")
    impatient.wait_for(lambda _: continued(impatient, handle) or None)
    order = ControlCall(actor=impatient.actor.id, task_key="ask")
    patiently(lambda: impatient.temporal.run(handle.execute_update("approve", order)))
    assert impatient.result(run_id).outputs == {"whole": "succeeded"}
    history = impatient.temporal.run(handle.fetch_history())
    started = history.events[0].workflow_execution_started_event_attributes
    assert sum(len(payload.data) for payload in started.input.payloads) < 2_000_000
    assert fetches(history)


def test_iterations_half_done_are_carried_by_reference(impatient: Stack) -> None:
    """19 iterations side by side that hold 5 results of 59 KB each are 5.6 MB."""
    large = [echo(f"big{n}", "{{ params.part }}" * TIMES) for n in range(5)]
    values = ", ".join(f"tasks.{task['task_key']}.values.value" for task in large)
    pause = wait("pause", 1, *(task["task_key"] for task in large))
    whole = echo("whole", 1, "pause")
    whole["condition"] = f"[{values}].all(value, size(value) == {SIZE})"
    each = loop("each", list(range(28)), *large, pause, whole, concurrency=19,
                collect="{{ tasks.whole.state }}")  # fmt: skip
    document = {
        "parameters": [{"name": "part", "default": "x" * PART}],
        "tasks": [each],
        "outputs": {"states": "{{ tasks.each.values.results }}"},
    }
    run_id, _ = begin(impatient, "heavy", document)
    assert impatient.result(run_id).outputs == {"states": ["succeeded"] * 28}
    histories = impatient.histories(f"heavy/{run_id}/each[0]")
    assert len(histories) > 1
    assert any(fetches(history) for history in histories)
