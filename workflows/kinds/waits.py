"""Tasks that wait: for a time, for people."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Left
    from racine import expressions
    from racine.engine.plan import Step
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import InvalidInput
    from workflows.flow import Flow
    from workflows.people import Approval

if TYPE_CHECKING:
    from workflows.steps import Level


async def wait(level: "Level", step: Step) -> TaskResult | None:
    path, flow = level.path(step), level.flow
    left = flow.recall(path)
    if left is None:
        until = _until(step.spec, level.names_of(step))
        level.began(step, "started", {"until": until.isoformat(timespec="seconds")})
        await flow.flush(level.scope.context)
    else:
        until = datetime.fromisoformat(left.state["until"])
    if not await passed(flow, until, lambda: False):
        return level.told(step, TaskResult(TaskState.SUCCEEDED, {}))
    flow.left[path] = Left(state={"until": until.isoformat()})
    return None


async def approval(level: "Level", step: Step) -> TaskResult | None:
    path, spec, flow = level.path(step), step.spec, level.flow
    left = flow.recall(path)
    until = moment_of(spec["timeout_seconds"], left)
    if left is None:
        flow.approvals[path] = Approval(spec, level.scope.context.actor)
    question = flow.approvals[path]
    try:
        if left is None:
            await _ask(level, step)
        if not await passed(flow, until, lambda: question.outcome is not None):
            question.time_out()
        elif question.outcome is None:
            moment = until.isoformat() if until else None
            flow.left[path] = Left(state={"question": asdict(question), "until": moment})
            return None
    finally:
        del flow.approvals[path]
    return level.told(step, question.result())


async def _ask(level: "Level", step: Step) -> None:
    spec = step.spec
    prompt = expressions.resolve(spec["prompt"], level.names_of(step))
    body = {"prompt": prompt, "required": spec["required"], "approvers": spec["approvers"]}
    level.began(step, "waiting", body)
    await level.flow.flush(level.scope.context)


async def passed(flow: Flow, until: datetime | None, done: Callable[[], bool]) -> bool:
    """Wait for something, or for the run to drain, and tell whether one came before the moment."""
    seconds = None if until is None else max(0.0, (until - workflow.now()).total_seconds())
    try:
        await workflow.wait_condition(lambda: done() or flow.drained, timeout=seconds)
    except TimeoutError:
        return False
    return True


def moment_of(seconds: float | None, left: Left | None) -> datetime | None:
    """Return the moment of a time limit that began now, or before the run continued as new."""
    if left is not None:
        return datetime.fromisoformat(left.state["until"]) if left.state["until"] else None
    return None if seconds is None else workflow.now() + timedelta(seconds=seconds)


def _until(spec: dict[str, Any], names: dict[str, Any]) -> datetime:
    if spec["duration_seconds"] is not None:
        return workflow.now() + timedelta(seconds=spec["duration_seconds"])
    text = str(expressions.resolve(spec["until"], names))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(
            f"{text!r} is no moment with an offset.",
            next_step="Write it like 2026-11-21T07:00:00+00:00.",
        )
    return moment
