"""What an operator reads of an open run in Temporal Web."""

from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError

from tests.temporal.conftest import Stack
from tests.temporal.test_control import ORDER, echo, handle_of, until


def test_an_open_run_tells_how_far_it_is(stack: Stack) -> None:
    document: dict[str, Any] = {
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
    handle = handle_of(stack, stack.start(stack.save(document)))

    def details() -> str:
        query = handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
        return str(stack.temporal.run(query).current_details)

    until(lambda: details() == "**1 of 2 tasks have ended**\n\nRunning: long")
    stack.temporal.run(handle.execute_update("cancel", ORDER))
    with pytest.raises(WorkflowFailureError):
        stack.temporal.run(handle.result())
    assert stack.temporal.run(handle.describe()).status is WorkflowExecutionStatus.CANCELED
