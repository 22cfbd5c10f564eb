"""Tasks that wait: for a time, for people."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from racine import expressions
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import InvalidInput
    from workflows.people import Approval

if TYPE_CHECKING:
    from workflows.steps import Level


async def wait(level: "Level", step: Step) -> TaskResult:
    level.flow.note(level.path(step), "started", {}, n=0)
    await level.flow.flush(level.scope.context)
    await workflow.sleep(_wait_seconds(step.spec, level.names_of(step)))
    return level.told(step, TaskResult(TaskState.SUCCEEDED, {}))


async def approval(level: "Level", step: Step) -> TaskResult:
    path, spec, flow = level.path(step), step.spec, level.flow
    question = Approval(spec, level.scope.context.actor)
    flow.approvals[path] = question
    prompt = expressions.resolve(spec["prompt"], level.names_of(step))
    body = {"prompt": prompt, "required": spec["required"], "approvers": spec["approvers"]}
    flow.note(path, "waiting", body, n=0)
    try:
        await flow.flush(level.scope.context)
        await workflow.wait_condition(
            lambda: question.outcome is not None, timeout=spec["timeout_seconds"]
        )
    except TimeoutError:
        question.time_out()
    finally:
        del flow.approvals[path]
    return level.told(step, question.result())


def _wait_seconds(spec: dict[str, Any], names: dict[str, Any]) -> float:
    if spec["duration_seconds"] is not None:
        return float(spec["duration_seconds"])
    text = str(expressions.resolve(spec["until"], names))
    try:
        moment = datetime.fromisoformat(text)
        return max(0.0, (moment - workflow.now()).total_seconds())
    except (ValueError, TypeError):
        raise InvalidInput(
            f"{text!r} is no moment with an offset.",
            next_step="Write it like 2026-11-21T07:00:00+00:00.",
        ) from None
