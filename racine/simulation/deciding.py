"""The kinds of task that the engine decides itself, as a simulation carries them out."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from racine import expressions
from racine.engine.plan import Step
from racine.engine.states import RunState, TaskResult, TaskState
from racine.errors import InvalidInput
from racine.simulation.clock import seconds

if TYPE_CHECKING:
    from racine.simulation.running import Level

Decide = Callable[["Level", Step, dict[str, Any]], Awaitable[TaskResult]]

_KEPT_FAILURES = 100


async def condition(level: "Level", step: Step, names: dict[str, Any]) -> TaskResult:
    return _decided("true" if expressions.is_true(step.spec["expression"], names) else "false")


async def switch(level: "Level", step: Step, names: dict[str, Any]) -> TaskResult:
    value = expressions.as_text(expressions.resolve(step.spec["on"], names))
    return _decided(value if value in step.spec["cases"] else step.spec["default"] or "")


async def noop(level: "Level", step: Step, names: dict[str, Any]) -> TaskResult:
    return TaskResult(TaskState.SUCCEEDED, {})


async def wait(level: "Level", step: Step, names: dict[str, Any]) -> TaskResult:
    if step.spec["signal"] is not None:
        return await level.place.run.attempts.signalled(step, level.path(step))
    length = step.spec["duration_seconds"]
    if length is None:
        now = level.place.run.began + timedelta(seconds=seconds())
        length = (_moment(step.spec["until"], names) - now).total_seconds()
    await asyncio.sleep(max(0.0, length))
    return TaskResult(TaskState.SUCCEEDED, {})


async def for_each(level: "Level", step: Step, names: dict[str, Any]) -> TaskResult:
    items = _items(step, names)
    allowed = int(len(items) * step.spec["max_failed_percent"] / 100)
    collect, given = step.spec["collect"], dict[int, Any]()
    left, ended, failed = iter(enumerate(items)), list[int](), dict[int, Any]()

    async def serve() -> None:
        for number, item in left:
            if len(failed) > allowed:
                return
            loop = _loop(level, step, item, number)
            inside = level.inside(step, number, loop)
            await level.passing(step, inside)
            ended.append(number)
            if inside.verdict() is not RunState.COMPLETED:
                failed[number] = inside.first_error()
            elif collect is not None:
                given[number] = expressions.resolve(collect, inside.names())

    await asyncio.gather(*(serve() for _ in range(min(step.spec["concurrency"], len(items)))))
    results = {} if collect is None else {"results": [given.get(n) for n in range(len(items))]}
    return _concluded(len(items), len(ended), allowed, failed, results)


async def while_(level: "Level", step: Step, names: dict[str, Any]) -> TaskResult:
    spec, number = step.spec, 0
    while True:
        inside = level.inside(step, number, {**level.place.loop, "iteration": number})
        await level.passing(step, inside)
        values: dict[str, Any] = {"iterations": number + 1, "exhausted": False}
        if inside.verdict() is not RunState.COMPLETED:
            return TaskResult(TaskState.FAILED, values, error=inside.first_error())
        if spec["collect"] is not None:
            values["result"] = expressions.resolve(spec["collect"], inside.names())
        if not expressions.is_true(spec["condition"], inside.names()):
            return TaskResult(TaskState.SUCCEEDED, values)
        number += 1
        if number >= spec["max_iterations"]:
            return _exhausted(spec, {**values, "exhausted": True})
        await asyncio.sleep(spec["delay_seconds"] or 0)


def _exhausted(spec: dict[str, Any], values: dict[str, Any]) -> TaskResult:
    if spec["on_exhausted"] == "CONTINUE":
        return TaskResult(TaskState.SUCCEEDED, values)
    message = f"The condition still holds after {values['iterations']} iterations."
    error = {"code": "max_iterations", "message": message}
    return TaskResult(TaskState.FAILED, values, error=error)


def _loop(level: "Level", step: Step, item: Any, number: int) -> dict[str, Any]:
    """Return what expressions of an iteration may name beside tasks, as the interpreter has it."""
    named = {step.spec["item"]: item} if step.spec["item"] else {}
    around = level.place.loop
    return {**around, "item": item, "item_index": number, "outer": around, **named}


def _decided(outcome: str) -> TaskResult:
    return TaskResult(TaskState.SUCCEEDED, {"outcome": outcome}, outcome)


def _moment(text: str, names: dict[str, Any]) -> datetime:
    words = str(expressions.resolve(text, names))
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(f"{words!r} is no moment with an offset.")
    return moment


def _items(step: Step, names: dict[str, Any]) -> list[Any]:
    """Return what a loop walks over; of a file or a statement, no rows: nothing is read here."""
    if isinstance(step.spec["inputs"], dict):
        return []
    items = expressions.resolve(step.spec["inputs"], names)
    if not isinstance(items, list):
        raise InvalidInput(f"{step.key} loops over a list, not {type(items).__name__}.")
    size = step.spec["batch_size"]
    if size is None:
        return items
    return [items[start : start + size] for start in range(0, len(items), size)]


def _concluded(
    total: int, ended: int, allowed: int, failed: dict[int, Any], results: dict[str, Any]
) -> TaskResult:
    values = {"total": total, "succeeded": ended - len(failed), "failed": len(failed),
              "failed_items": sorted(failed)[:_KEPT_FAILURES], **results}  # fmt: skip
    if len(failed) <= allowed:
        return TaskResult(TaskState.SUCCEEDED, values)
    first = min(failed)
    reason = (failed[first] or {}).get("message", "failed")
    message = f"{len(failed)} of {total} items failed; first [{first}].{reason}"
    return TaskResult(TaskState.FAILED, values, error={"code": "items_failed", "message": message})


DECIDED: dict[str, Decide] = {
    "condition_task": condition,
    "switch_task": switch,
    "noop_task": noop,
    "wait_task": wait,
    "for_each_task": for_each,
    "while_task": while_,
}
"""Any other kind has an effect, and is answered for."""
