"""What an operator reads of an open run in Temporal Web."""

from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from tests.eventually import eventually
from tests.temporal.conftest import Stack
from tests.temporal.test_control import ORDER, echo, handle_of

HALF_WAY: dict[str, Any] = {
    "name": "half_way",
    "tasks": [
        echo("first"),
        {
            "task_key": "long",
            "wait_task": {"duration_seconds": 3600},
            "depends_on": [{"task_key": "first"}],
        },
    ],
}


def half_way(stack: Stack, job_id: str) -> WorkflowHandle[Any, Any]:
    """Start a run and return as soon as its workflow says that it waits."""
    handle = handle_of(stack, stack.start(job_id))

    def details() -> str:
        query = handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(stack.temporal.run(query).current_details)

    eventually(lambda: details() == "**1 of 2 tasks have ended**\n\nRunning: long", "it is told")
    return handle


def test_an_open_run_tells_how_far_it_is(stack: Stack) -> None:
    handle = half_way(stack, stack.save(HALF_WAY))
    stack.temporal.run(handle.execute_update("cancel", ORDER))
    with pytest.raises(WorkflowFailureError):
        stack.temporal.run(handle.result())
    assert stack.temporal.run(handle.describe()).status is WorkflowExecutionStatus.CANCELED


def test_an_order_that_comes_as_a_wait_is_written_down_ends_it(stack: Stack) -> None:
    """Order and record may reach the workflow together: each run has its own chance to meet it."""
    job_id = stack.save(HALF_WAY)
    for _ in range(12):
        handle = half_way(stack, job_id)
        stack.temporal.run(handle.execute_update("cancel", ORDER))
        with pytest.raises(WorkflowFailureError):
            stack.temporal.run(handle.result())
