"""How a run's workflow closes, so that Temporal shows what the index shows."""

import asyncio
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from models.messages import RunResult
    from racine.engine.policies import root_failures
    from racine.engine.states import RunState

if TYPE_CHECKING:
    from workflows.steps import Level


def first_failure(level: "Level") -> dict[str, Any] | None:
    steps, results = level.plan.steps, level.results
    failed = root_failures(steps, results)
    if not failed:
        return None
    key, first = steps[failed[0]].key, results[failed[0]].error or {}
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    message = f"{key}: {first.get('message', 'failed')}{more}"
    return {**first, "message": message, "task_key": key}


def conclude(result: RunResult) -> RunResult:
    """Close the workflow so that Temporal shows the state that the index shows."""
    if result.state == RunState.COMPLETED:
        return result
    if result.state == RunState.CANCELLED:
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError
        return result
    error = result.error or {}
    raise ApplicationError(
        str(error.get("message", result.state)),
        result.model_dump(mode="json"),
        type=str(error.get("code", result.state)),
        non_retryable=True,
    )
