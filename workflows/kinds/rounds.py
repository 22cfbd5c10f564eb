"""Loops that go on while a condition holds."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Left
    from racine import expressions
    from racine.engine.plan import Plan, Step
    from racine.engine.policies import root_failures, verdict
    from racine.engine.states import RunState, TaskResult, TaskState
    from workflows.compensation import passing
    from workflows.kinds.waits import passed

if TYPE_CHECKING:
    from workflows.steps import Level


async def while_(level: "Level", step: Step) -> TaskResult | None:
    assert step.body is not None
    place, spec, flow = f"{level.path(step)}:round", step.spec, level.flow
    left = flow.recall(place)
    if left is None:
        level.began(step, "started", {})
    number, until = _where(left)
    while True:
        if until is not None and await passed(flow, until, lambda: False):
            _leave(level, place, number, until)
            return None
        await flow.resumed()
        inside = await _once(level, step, step.body, number)
        if not inside.scheduler.complete:
            _leave(level, place, number, None)
            return None
        if error := _failure(step, inside, number):
            return level.told(step, _result(number, inside, spec, error=error))
        if not expressions.is_true(spec["condition"], inside.asked()):
            return level.told(step, _result(number, inside, spec))
        number += 1
        if number >= spec["max_iterations"]:
            return level.told(step, _exhausted(number, inside, spec))
        until = _next(spec["delay_seconds"])
        if flow.draining and until is None:
            _leave(level, place, number, None)
            return None


async def _once(level: "Level", step: Step, body: Plan, number: int) -> "Level":
    inside = level.inside(step, body, number, {**level.scope.loop, "iteration": number})
    await passing(inside, level.path(step), number)
    return inside


def _where(left: Left | None) -> tuple[int, datetime | None]:
    """Return the iteration to begin with, and the moment before which it does not begin."""
    if left is None:
        return 0, None
    until = left.state["until"]
    return left.state["number"], datetime.fromisoformat(until) if until else None


def _leave(level: "Level", place: str, number: int, until: datetime | None) -> None:
    moment = until.isoformat() if until else None
    level.flow.left[place] = Left(state={"number": number, "until": moment})


def _next(delay: float | None) -> datetime | None:
    return None if delay is None else workflow.now() + timedelta(seconds=delay)


def _failure(step: Step, inside: "Level", number: int) -> dict[str, Any] | None:
    if verdict(inside.plan.steps, inside.results) is RunState.COMPLETED:
        return None
    failed = root_failures(inside.plan.steps, inside.results)
    first = (inside.results[failed[0]].error if failed else None) or {"code": "failed"}
    where = f"{step.key}[{number}]" + (f".{inside.plan.steps[failed[0]].key}" if failed else "")
    return {**first, "message": f"{where}: {first.get('message', 'failed')}"}


def _result(
    number: int, inside: "Level", spec: dict[str, Any], *, error: dict[str, Any] | None = None
) -> TaskResult:
    values: dict[str, Any] = {"iterations": number + 1, "exhausted": False}
    if error is not None:
        return TaskResult(TaskState.FAILED, values, error=error)
    if spec["collect"] is not None:
        values["result"] = expressions.resolve(spec["collect"], inside.asked())
    return TaskResult(TaskState.SUCCEEDED, values)


def _exhausted(number: int, inside: "Level", spec: dict[str, Any]) -> TaskResult:
    ended = _result(number - 1, inside, spec)
    values = {**(ended.values or {}), "exhausted": True}
    if spec["on_exhausted"] == "CONTINUE":
        return TaskResult(TaskState.SUCCEEDED, values)
    message = f"The condition still holds after {number} iterations."
    return TaskResult(
        TaskState.FAILED, values, error={"code": "max_iterations", "message": message}
    )
