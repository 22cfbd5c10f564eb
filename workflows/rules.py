"""Tries a task by its retry rules: each attempt is a try of its own, judged by its error."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from models.messages import Left
    from racine.engine.plan import Step
    from racine.engine.rules import after_failure
    from racine.engine.states import TaskResult, TaskState
    from racine.errors import RacineError
    from workflows.attempts import failed
    from workflows.kinds.waits import passed

if TYPE_CHECKING:
    from workflows.steps import Level

Work = Callable[[Step], Awaitable[TaskResult | None]]


async def by_rules(level: "Level", step: Step, work: Work) -> TaskResult | None:
    """Run a task's attempts until one succeeds or a rule, or its policy, says that it is enough."""
    flow, place = level.flow, f"{level.path(step)}:rules"
    left = flow.recall(place)
    attempt, until, held = _where(left)
    limit = _limit(level, step, left)
    if held is not None:
        flow.judged.add(level.path(step))
    while True:
        if until is not None and await passed(flow, until, lambda: False):
            _leave(level, place, attempt, until=until, limit=limit)
            return None
        if held is None:
            result = await _try(level, _within(step, limit), work)
            if result is None:
                _leave(level, place, attempt, limit=limit)
                return None
            if result.state is not TaskState.FAILED:
                return result
            rule = _in_time(after_failure(step, result.error or {}, attempt), limit)
            flow.note(level.path(step), "rule", rule, n=2)
            if rule["action"] in ("SKIP", "HOLD"):
                flow.judged.add(level.path(step))
            if rule["action"] == "SKIP":
                return level.told(step, TaskResult(TaskState.EXCLUDED, reason="rule"))
            if rule["action"] == "FAIL":
                return result
            held = result.error if rule["action"] == "HOLD" else None
            until = _moment(rule)
        if held is not None and not await _released(level, step):
            _leave(level, place, attempt, held=held, limit=limit)
            return None
        held, attempt = None, attempt + 1


async def _try(level: "Level", step: Step, work: Work) -> TaskResult | None:
    if level.plan.version < 2:
        return await work(step)
    path, tries = level.path(step), level.flow.tries
    before = tries.get(path)
    try:
        return await work(step)
    except (RacineError, ActivityError) as fault:
        result = failed(fault)
    if tries.get(path) == before:
        level.flow.begin(path)
    return level.told(step, result)


def _limit(level: "Level", step: Step, left: Left | None) -> datetime | None:
    """Return the moment by which all tries of a task, taken together, have to end."""
    if left is not None:
        found = left.state.get("limit")
        return datetime.fromisoformat(found) if found else None
    if level.plan.version < 2 or step.schedule_to_close_seconds is None:
        return None
    return workflow.now() + timedelta(seconds=step.schedule_to_close_seconds)


def _within(step: Step, limit: datetime | None) -> Step:
    """Return the step with what is left of the time for all its tries."""
    if limit is None:
        return step
    seconds = max(0.001, (limit - workflow.now()).total_seconds())
    return step.model_copy(update={"schedule_to_close_seconds": seconds})


def _in_time(rule: dict[str, Any], limit: datetime | None) -> dict[str, Any]:
    """Fail instead of trying again once the time for all tries is over."""
    late = rule["action"] == "RETRY" and limit is not None
    if late and limit is not None and workflow.now() + timedelta(seconds=rule["seconds"]) >= limit:
        return {"action": "FAIL"}
    return rule


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
    limit: datetime | None = None,
) -> None:
    moments = {"until": until, "limit": limit}
    state = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    level.flow.left[place] = Left(state={"attempt": attempt, "held": held, **state})


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
            await level.flow.flush()
        await workflow.wait_condition(lambda: stuck[path].is_set() or level.flow.drained)
        return stuck[path].is_set()
    finally:
        del stuck[path]
