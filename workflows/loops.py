"""Runs a loop's iterations: a few in the run's own workflow, many in workflows of their own."""

import asyncio
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

with workflow.unsafe.imports_passed_through():
    from activities.names import (
        ACTIVITY_QUEUE,
        EXPAND,
        HEARTBEAT_TIMEOUT_SECONDS,
        OWN,
        SLICE,
    )
    from models.messages import ExpandCall, Expanded, Left, LoopInput, Scope, SliceCall, Tally
    from racine import items
    from racine.engine.kept import Kept, numbers
    from racine.engine.plan import INLINE_STEPS, Plan, Step
    from racine.engine.policies import root_failures, verdict
    from racine.engine.scheduler import ORDERED
    from racine.engine.states import RunState, TaskResult, TaskState
    from racine.errors import InvalidInput
    from workflows.attempts import retry_policy
    from workflows.flow import Flow
    from workflows.waiting import Course, each

if TYPE_CHECKING:
    from workflows.steps import Level

LOOP = "RacineLoop"
_STEPS_A_CHILD = 200
_KEPT_FAILURES = 100
_SECONDS = timedelta(seconds=120)


class Count:
    """Adds up how iterations end."""

    def __init__(self, allowed: int, before: dict[str, Any] | None = None) -> None:
        self._allowed = allowed
        self._sums = Tally.model_validate(before["sums"]) if before else Tally()
        self._told: int | None = before["told"] if before else None

    def enough(self) -> bool:
        return self._sums.failed > self._allowed

    def success(self) -> None:
        self.add(Tally(succeeded=1))

    def failure(self, number: int, error: dict[str, Any] | None) -> None:
        self.add(Tally(failed=1, failed_items=[number], error=error))

    def add(self, tally: Tally) -> None:
        sums = self._sums
        first = tally.failed_items[0] if tally.failed_items else None
        # The error of the lowest item: which one fails first in time is chance.
        tells = first is not None and (self._told is None or first < self._told)
        if tells:
            self._told = first
        self._sums = Tally(
            succeeded=sums.succeeded + tally.succeeded,
            failed=sums.failed + tally.failed,
            failed_items=sorted([*sums.failed_items, *tally.failed_items])[:_KEPT_FAILURES],
            error=tally.error if tells else sums.error,
        )

    def tally(self) -> Tally:
        return self._sums

    def state(self) -> dict[str, Any]:
        """Return what the same count goes on from."""
        return {"sums": self._sums.model_dump(mode="json"), "told": self._told}


async def for_each(level: "Level", step: Step) -> TaskResult | None:
    """Run a loop to its end; it fails when more iterations fail than its document allows."""
    assert step.body is not None
    path, flow = level.path(step), level.flow
    left = flow.recall(f"{path}:items")
    if left is None:
        level.began(step, "started", {})
        expanded = _known(flow, path) or await _expand(level, step)
    else:
        expanded = Expanded.model_validate(left.state)
    total = expanded.count
    if flow.memory is not None:
        flow.memory.loop(path, total, expanded.model_dump(mode="json", exclude_defaults=True))
    allowed = int(total * step.spec["max_failed_percent"] / 100)
    names = level.names_of(step)
    scope = level.scope.model_copy(update={"prefix": path, "outer_tasks": names["tasks"]})
    given = LoopInput(
        scope=scope, key=step.key, body=step.body, items=expanded.items, ref=expanded.ref,
        start=0, count=total, concurrency=step.spec["concurrency"], allowed=allowed,
        by_reference=expanded.by_reference,
    )  # fmt: skip
    known = expanded.items is not None or expanded.by_reference
    if known and total * step.body.burden <= INLINE_STEPS:
        tally = await iterate(flow, given, await load(given), type(level))
    else:
        tally = await _spread(flow, given)
    if tally is None:
        flow.left[f"{path}:items"] = Left(state=expanded.model_dump(mode="json"))
        return None
    return level.told(step, _concluded(total, allowed, tally))


def _known(flow: Flow, path: str) -> Expanded | None:
    """Return the items that the loop has walked over before: they are not looked for again."""
    memory = flow.memory.loops.get(path) if flow.memory else None
    return Expanded.model_validate(memory.items) if memory and memory.items else None


async def iterate(
    flow: Flow, given: LoopInput, items: list[Any], make: "type[Level]"
) -> Tally | None:
    """Run a stretch of iterations in this workflow; None when it continues as new before."""
    count, course = _begin(flow, given, 1)

    async def once(number: int) -> None:
        inside = make(flow, _inner(given.scope, number, items[number - given.start]), given.body)
        await inside.run()
        if inside.scheduler.complete:
            good = _count_one(count, number, given.body, inside.results)
            if flow.memory is not None:
                results = None if good else inside.results
                flow.memory.ended(given.scope.prefix, number, given.body, results)
        else:
            course.back.append(number)

    await each(flow, course, given.concurrency, once, count.enough)
    return _end(flow, given, count, course)


def _begin(flow: Flow, given: LoopInput, size: int) -> tuple[Count, Course]:
    """Return the count and the course of a stretch, as far as they were before."""
    left = flow.recall(_place(given))
    if left is not None:
        return Count(given.allowed, left.state["count"]), Course(**left.state["course"])
    count, end = Count(given.allowed), given.start + given.count
    done = flow.memory.loops[given.scope.prefix].done if flow.memory else set()
    if not done:
        return count, Course(given.start, end, size)
    back = []
    for start in range(given.start, end, size):
        stretch = range(start, min(start + size, end))
        if done.issuperset(stretch):
            count.add(Tally(succeeded=len(stretch)))
        else:
            back.append(start)
    return count, Course(end, end, size, back)


def _end(flow: Flow, given: LoopInput, count: Count, course: Course) -> Tally | None:
    """Return the tally, or leave count and course for the workflow that continues this one."""
    if not course or (count.enough() and not course.back):
        return count.tally()
    state = {"count": count.state(), "course": asdict(course)}
    flow.left[_place(given)] = Left(state=state)
    return None


def _place(given: LoopInput) -> str:
    return f"{given.scope.prefix}[{given.start}]:course"


async def load(given: LoopInput) -> list[Any]:
    """Return the items of a stretch, or what stands for them."""
    if given.by_reference:
        places = range(given.start, given.start + given.count)
        return [items.reference(given.ref or "", place) for place in places]
    if given.ref is None:
        return given.items or []
    call = SliceCall(
        context=given.scope.context, ref=given.ref, start=given.start, count=given.count
    )
    found: list[Any] = await workflow.execute_activity(
        SLICE, call, activity_id=f"{OWN}slice", task_queue=ACTIVITY_QUEUE, result_type=list,
        start_to_close_timeout=_SECONDS,
    )  # fmt: skip
    return found


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
            task_queue=ACTIVITY_QUEUE, result_type=Expanded, **_patience(level, step),
        )  # fmt: skip
    except ActivityError as failure:
        cause = failure.cause
        if isinstance(cause, ApplicationError):
            raise InvalidInput(cause.message) from failure
        raise
    return expanded


def _patience(level: "Level", step: Step) -> dict[str, Any]:
    """Return the limits of finding a loop's items: of a file or a statement, those of its task."""
    if not isinstance(step.spec["inputs"], dict):
        return {"start_to_close_timeout": _SECONDS}
    return {
        "start_to_close_timeout": timedelta(seconds=step.start_to_close_seconds),
        "heartbeat_timeout": timedelta(seconds=HEARTBEAT_TIMEOUT_SECONDS),
        "retry_policy": retry_policy(level, step),
        "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }


async def _spread(flow: Flow, whole: LoopInput) -> Tally | None:
    """Give every stretch of iterations to a workflow of its own, several at a time."""
    size = max(1, _STEPS_A_CHILD // whole.body.burden)
    parallel = max(1, min(10, whole.concurrency // 10))
    count, course = _begin(flow, whole, size)

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
                **_known_of(flow, whole.scope.prefix, start, many),
            }
        )
        with flow.working():
            tally = await _child(flow, given)
        count.add(tally)
        if flow.memory is not None:
            flow.memory.loops[whole.scope.prefix].done.update(numbers(tally.done))
            flow.highest_inside = max(flow.highest_inside, tally.tries)

    await each(flow, course, parallel, stretch, count.enough)
    return _end(flow, whole, count, course)


def _known_of(flow: Flow, path: str, start: int, count: int) -> dict[str, Any]:
    """Return what the workflow of a stretch shall know of it from before."""
    if flow.memory is None:
        return {}
    kept = flow.memory.of_stretch(path, start, count)
    if kept is None and flow.first_try:
        kept = Kept()
    if kept is not None:
        kept.tries = flow.first_try
    return {"keeps": True, "kept": kept}


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
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError(ORDERED) from failure
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


def _count_one(count: Count, number: int, body: Plan, results: dict[int, TaskResult]) -> bool:
    """Count an iteration that has ended; tell whether it succeeded."""
    if verdict(body.steps, results) is RunState.COMPLETED:
        count.success()
        return True
    failed = root_failures(body.steps, results)
    first = results[failed[0]].error if failed else None
    where = f"[{number}].{body.steps[failed[0]].key}" if failed else f"[{number}]"
    message = f"{where}: {(first or {}).get('message', 'failed')}"
    count.failure(number, {**(first or {"code": "failed"}), "message": message})
    return False


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
