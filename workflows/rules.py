"""Tries a task by its retry rules: each attempt is a try of its own, judged by its error."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import Left
    from racine.engine.plan import Step
    from racine.engine.rules import after_failure
    from racine.engine.states import TaskResult, TaskState
    from workflows.kinds.waits import passed

if TYPE_CHECKING:
    from workflows.steps import Level

Work = Callable[[], Awaitable[TaskResult | None]]


async def by_rules(level: "Level", step: Step, work: Work) -> TaskResult | None:
    """Run a task's attempts until one succeeds or a rule, or its policy, says that it is enough."""
    flow, place = level.flow, f"{level.path(step)}:rules"
    left = flow.recall(place)
    attempt, until, held = _where(left)
    while True:
        if until is not None and await passed(flow, until, lambda: False):
            _leave(level, place, attempt, until=until)
            return None
        if held is None:
            result = await work()
            if result is None:
                _leave(level, place, attempt)
                return None
            if result.state is not TaskState.FAILED:
                return result
            rule = after_failure(step, result.error or {}, attempt)
            level.flow.note(level.path(step), "rule", rule, n=2)
            if rule["action"] == "SKIP":
                return level.told(step, TaskResult(TaskState.EXCLUDED, reason="rule"))
            if rule["action"] == "FAIL":
                return result
            held = result.error if rule["action"] == "HOLD" else None
            until = _moment(rule)
        if held is not None and not await _released(level, step):
            _leave(level, place, attempt, held=held)
            return None
        held, attempt = None, attempt + 1


def _where(left: Left | None) -> tuple[int, datetime | None, dict[str, Any] | None]:
    if left is None:
        return 1, None, None
    until = left.state["until"]
    moment = datetime.fromisoformat(until) if until else None
    return left.state["attempt"], moment, left.state["held"]


def _leave(
    level: "Level",
    place: str,
    attempt: int,
    *,
    until: datetime | None = None,
    held: dict[str, Any] | None = None,
) -> None:
    moment = until.isoformat() if until else None
    level.flow.left[place] = Left(state={"attempt": attempt, "until": moment, "held": held})


def _moment(rule: dict[str, Any]) -> datetime | None:
    if rule["action"] != "RETRY":
        return None
    return workflow.now() + timedelta(seconds=rule["seconds"])


async def _released(level: "Level", step: Step) -> bool:
    """Wait until a person has a held task tried again; False when the run drains before."""
    path, stuck = level.path(step), level.flow.stuck
    stuck[path] = asyncio.Event()
    level.flow.note(path, "held", {}, n=3)
    try:
        if not level.flow.draining:
            await level.flow.flush(level.scope.context)
        await workflow.wait_condition(lambda: stuck[path].is_set() or level.flow.drained)
        return stuck[path].is_set()
    finally:
        del stuck[path]
