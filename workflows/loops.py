"""Runs a loop's iterations: a few in the run's own workflow, many in workflows of their own."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

with workflow.unsafe.imports_passed_through():
    from activities.names import ACTIVITY_QUEUE, EXPAND, OWN, SLICE
    from models.messages import ExpandCall, Expanded, LoopInput, Scope, SliceCall, Tally
    from racine.engine.plan import INLINE_STEPS, Plan, Step
    from racine.engine.policies import root_failures, verdict
    from racine.engine.states import RunState, TaskResult, TaskState
    from racine.errors import InvalidInput
    from workflows.flow import Flow
    from workflows.waiting import each

if TYPE_CHECKING:
    from workflows.steps import Level

LOOP = "RacineLoop"
_STEPS_A_CHILD = 200
_KEPT_FAILURES = 100
_SECONDS = timedelta(seconds=120)


class Count:
    """Adds up how iterations end."""

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._succeeded = 0
        self._failed: list[int] = []
        self._failures = 0
        self._error: dict[str, Any] | None = None
        self._told: int | None = None

    def enough(self) -> bool:
        return self._failures > self._allowed

    def success(self) -> None:
        self._succeeded += 1

    def failure(self, number: int, error: dict[str, Any] | None) -> None:
        self._failures += 1
        self._failed.append(number)
        self._tell(number, error)

    def add(self, tally: Tally) -> None:
        self._succeeded += tally.succeeded
        self._failures += tally.failed
        self._failed += tally.failed_items
        if tally.failed_items:
            self._tell(tally.failed_items[0], tally.error)

    def _tell(self, number: int, error: dict[str, Any] | None) -> None:
        """Keep the error of the lowest item: which one fails first in time is chance."""
        if self._told is None or number < self._told:
            self._told, self._error = number, error

    def tally(self) -> Tally:
        return Tally(
            succeeded=self._succeeded,
            failed=self._failures,
            failed_items=sorted(self._failed)[:_KEPT_FAILURES],
            error=self._error,
        )


async def for_each(level: "Level", step: Step) -> TaskResult:
    """Run a loop to its end; it fails when more iterations fail than its document allows."""
    level.flow.note(level.path(step), "started", {}, n=0)
    assert step.body is not None
    expanded = await _expand(level, step)
    total = expanded.count
    allowed = int(total * step.spec["max_failed_percent"] / 100)
    names = level.names_of(step)
    scope = level.scope.model_copy(
        update={"prefix": level.path(step), "outer_tasks": names["tasks"]}
    )
    given = LoopInput(
        scope=scope, key=step.key, body=step.body, items=expanded.items, ref=expanded.ref,
        start=0, count=total, concurrency=step.spec["concurrency"], allowed=allowed,
    )  # fmt: skip
    if expanded.items is not None and total * step.body.burden <= INLINE_STEPS:
        tally = await iterate(level.flow, given, expanded.items, type(level))
    else:
        tally = await _spread(level.flow, given)
    return level.told(step, _concluded(total, allowed, tally))


async def iterate(flow: Flow, given: LoopInput, items: list[Any], make: "type[Level]") -> Tally:
    """Run a stretch of iterations in this workflow."""
    count = Count(given.allowed)

    async def once(place: int) -> None:
        number = given.start + place
        inside = make(flow, _inner(given.scope, number, items[place]), given.body)
        await inside.run()
        _count_one(count, number, given.body, inside.results)

    await each(flow, range(len(items)), given.concurrency, once, count.enough)
    return count.tally()


async def load(given: LoopInput) -> list[Any]:
    """Return the items of a stretch."""
    if given.ref is None:
        return given.items or []
    call = SliceCall(
        context=given.scope.context, ref=given.ref, start=given.start, count=given.count
    )
    items: list[Any] = await workflow.execute_activity(
        SLICE, call, activity_id=f"{OWN}slice", task_queue=ACTIVITY_QUEUE, result_type=list,
        start_to_close_timeout=_SECONDS,
    )  # fmt: skip
    return items


async def _expand(level: "Level", step: Step) -> Expanded:
    call = ExpandCall(
        context=level.scope.context,
        inputs=step.spec["inputs"],
        names=level.names_of(step) if step.templated else None,
        batch_size=step.spec["batch_size"],
    )
    try:
        expanded: Expanded = await workflow.execute_activity(
            EXPAND, call, activity_id=f"{OWN}expand:{level.path(step)}",
            task_queue=ACTIVITY_QUEUE, result_type=Expanded, start_to_close_timeout=_SECONDS,
        )  # fmt: skip
    except ActivityError as failure:
        cause = failure.cause
        if isinstance(cause, ApplicationError):
            raise InvalidInput(cause.message) from failure
        raise
    return expanded


async def _spread(flow: Flow, whole: LoopInput) -> Tally:
    """Give every stretch of iterations to a workflow of its own, several at a time."""
    size = max(1, _STEPS_A_CHILD // whole.body.burden)
    parallel = max(1, min(10, whole.concurrency // 10))
    count = Count(whole.allowed)

    async def stretch(start: int) -> None:
        many = min(size, whole.count - start)
        items = None if whole.items is None else whole.items[start : start + many]
        given = whole.model_copy(
            update={
                "items": items,
                "start": start,
                "count": many,
                "concurrency": max(1, whole.concurrency // parallel),
                "paused": flow.paused,
            }
        )
        count.add(await _child(flow, given))

    await each(flow, range(0, whole.count, size), parallel, stretch, count.enough)
    return count.tally()


async def _child(flow: Flow, given: LoopInput) -> Tally:
    context = given.scope.context
    name = f"{given.scope.run['job']}/{context.run_id}/{given.scope.prefix}[{given.start}]"
    try:
        handle = await workflow.start_child_workflow(
            LOOP,
            given,
            id=name,
            result_type=Tally,
            parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
            static_summary=f"{given.scope.prefix} · {given.start}-{given.start + given.count - 1}",
        )
        flow.children[name] = handle
        return Tally.model_validate(await handle)
    except ChildWorkflowError as failure:
        if flow.stopping:
            raise asyncio.CancelledError from failure
        error = {"code": "loop_lost", "message": f"The workflow {name} was ended from outside."}
        return Tally(failed=given.count, failed_items=[given.start], error=error)
    finally:
        flow.children.pop(name, None)


def _inner(scope: Scope, number: int, item: Any) -> Scope:
    outer = scope.loop
    return scope.model_copy(
        update={
            "prefix": f"{scope.prefix}[{number}].",
            "loop": {"item": item, "item_index": number, "outer": outer},
        }
    )


def _count_one(count: Count, number: int, body: Plan, results: dict[int, TaskResult]) -> None:
    if verdict(body.steps, results) is RunState.COMPLETED:
        count.success()
        return
    failed = root_failures(body.steps, results)
    first = results[failed[0]].error if failed else None
    where = f"[{number}].{body.steps[failed[0]].key}" if failed else f"[{number}]"
    message = f"{where}: {(first or {}).get('message', 'failed')}"
    count.failure(number, {**(first or {"code": "failed"}), "message": message})


def _concluded(total: int, allowed: int, tally: Tally) -> TaskResult:
    values = {
        "total": total,
        "succeeded": tally.succeeded,
        "failed": tally.failed,
        "failed_items": tally.failed_items,
    }
    if tally.failed <= allowed:
        return TaskResult(TaskState.SUCCEEDED, values)
    first = tally.error or {}
    message = f"{tally.failed} of {total} items failed; first {first.get('message', '')}"
    return TaskResult(TaskState.FAILED, values, error={"code": "items_failed", "message": message})
