"""What a run answered to orders: one that comes again is told the same, and not obeyed again.

Temporal knows an Update's id within one execution alone; a run continues as new, and whoever gave
the order may have died before the answer was written down.
"""

from typing import Any

from temporalio import workflow
from temporalio.worker import (
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

_REMEMBERED = 200
"""Answers kept, the latest: at most so many orders can be on their way to one run."""


class Remembering(WorkflowInboundInterceptor):
    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        if input.id not in _answers():
            super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        if input.id in _answers():
            return _answers()[input.id]
        answer = await super().handle_update_handler(input)
        remembered = _answers()
        remembered[input.id] = answer
        if len(remembered) > _REMEMBERED:
            del remembered[next(iter(remembered))]
        return answer


class Answers(Interceptor):
    """Lets the workflows of a worker remember what they answered."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return Remembering


def _answers() -> dict[str, Any]:
    """Return the answers of the workflow at work, by the id of the order."""
    answers: dict[str, Any] = workflow.instance().answers
    return answers
