"""Runs a loop's iterations: a few in the run's own workflow, many in workflows of their own."""

import asyncio
import json
from dataclasses import asdict, replace
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
    )
    from models.messages import (
        INLINE_LIMIT,
        ExpandCall,
        Expanded,
        Left,
        LoopInput,
        Results,
        Scope,
        Tally,
    )
    from racine import expressions, items
    from racine.engine.kept import Kept, Trail, numbers
    from racine.engine.plan import INLINE_STEPS, Plan, Step
    from racine.engine.policies import root_failures, verdict
    from racine.engine.scheduler import ORDERED, heed
    from racine.engine.states import RunState, TaskResult, TaskState
    from racine.errors import InvalidInput, RacineError
    from workflows.attempts import retry_policy
    from workflows.blobs import ACTIVITY_SECONDS, collected, sliced
    from workflows.compensation import passing, shorten
    from workflows.flow import Flow
    from workflows.waiting import Course, each

if TYPE_CHECKING:
    from workflows.steps import Level

LOOP = "RacineLoop"
_STEPS_A_CHILD = 200
_KEPT_FAILURES = 100


INLINE_RESULTS = 1024
"""Bytes of JSON above which what a stretch of iterations gave goes to a blob."""


class Count:
    """Adds up how iterations end, and what they gave."""

    def __init__(self, allowed: int, before: dict[str, Any] | None = None) -> None:
        self._allowed = allowed
        self._sums = Tally.model_validate(before["sums"]) if before else Tally()
        self._told: int | None = before["told"] if before else None
        self._bytes = _weight(self._sums.results)

    def enough(self) -> bool:
        return self._sums.failed > self._allowed

    def success(self, number: int, given: list[Any]) -> None:
        """Count an iteration; `given` is what it collected, if the loop collects."""
        results = [Results(items=[(number, given[0])])] if given else []
        self._bytes += len(json.dumps(given)) if given else 0
        self.add(Tally(succeeded=1, results=results))

    def overflow(self) -> list[Results]:
        """Return, and keep no longer, what was collected, once it is too much to carry along."""
        if self._bytes <= INLINE_LIMIT:
            return []
        self._bytes = 0
        taken = [part for part in self._sums.results if part.ref is None]
        kept = [part for part in self._sums.results if part.ref is not None]
        self._sums = self._sums.model_copy(update={"results": kept})
        return taken

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
            results=[*sums.results, *tally.results],
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
        expanded = _known(flow, path, step) or await _expand(level, step)
    else:
        expanded = Expanded.model_validate(left.state)
    total = expanded.count
    if flow.memory is not None:
        flow.memory.loop(path, total, expanded.model_dump(mode="json", exclude_defaults=True))
    given = _whole(level, step, step.body, expanded)
    known = expanded.items is not None or expanded.by_reference
    if known and total * step.body.burden <= INLINE_STEPS:
        tally = await iterate(flow, given, await load(given), type(level))
    else:
        tally = await _spread(flow, given)
    if tally is None:
        flow.left[f"{path}:items"] = Left(state=expanded.model_dump(mode="json"))
        return None
    result = _concluded(total, given.allowed, tally)
    if given.collect is not None:
        gave = [expanded.gave, *tally.results] if expanded.gave else tally.results
        result = await _with_results(flow, expanded, given, gave, result)
    return level.told(step, result)


def _whole(level: "Level", step: Step, body: Plan, expanded: Expanded) -> LoopInput:
    """Return all iterations of a loop as one stretch."""
    scope = level.scope.model_copy(
        update={
            "prefix": level.path(step),
            "outer_tasks": level.names_of(step)["tasks"],
            "parameters": _read_by(body, level.scope.parameters),
        }
    )
    return LoopInput(
        scope=scope, key=step.key, body=body, items=expanded.items, ref=expanded.ref,
        start=0, count=expanded.count, concurrency=step.spec["concurrency"],
        allowed=int(expanded.count * step.spec["max_failed_percent"] / 100),
        by_reference=expanded.by_reference,
        item=step.spec.get("item"), collect=step.spec.get("collect"),
    )  # fmt: skip


async def _with_results(
    flow: Flow,
    expanded: Expanded,
    given: LoopInput,
    parts: list[Results],
    result: TaskResult,
) -> TaskResult:
    """Add what the iterations gave to a loop's result: by reference unless it is little."""
    if flow.memory is not None and result.state is TaskState.FAILED:
        # A repair runs the others again, and wants to know what these gave.
        kept = await _collected(given, parts, "kept")
        known = expanded.model_copy(update={"gave": kept})
        flow.memory.loop(given.scope.prefix, given.count, known.model_dump(mode="json"))
        parts = [kept]
    if all(part.ref is None for part in parts) and _weight(parts) <= INLINE_LIMIT // 2:
        gave = dict(item for part in parts for item in part.items)
        results = [gave.get(number) for number in range(given.count)]
        return replace(result, values={**(result.values or {}), "results": results})
    whole = await _collected(given, parts, "all", total=given.count)
    return replace(result, ref=whole.ref)


async def packed(given: LoopInput, tally: Tally) -> Tally:
    """Return the tally of a stretch with what it gave in a blob, unless it is little."""
    if _weight(tally.results) <= INLINE_RESULTS:
        return tally
    kept = await _collected(given, tally.results, "stretch")
    return tally.model_copy(update={"results": [kept]})


def _weight(parts: list[Results]) -> int:
    return sum(len(json.dumps(part.items)) for part in parts)


async def _collected(
    given: LoopInput, parts: list[Results], name: str, total: int | None = None
) -> Results:
    place = f"{given.scope.prefix}[{given.start}]"
    return await collected(given.scope.context, parts, f"collect:{place}:{name}", total)


def _known(flow: Flow, path: str, step: Step) -> Expanded | None:
    """Return the items that the loop has walked over before: they are not looked for again."""
    memory = flow.memory.loops.get(path) if flow.memory else None
    if memory is None or not memory.items:
        return None
    known = Expanded.model_validate(memory.items)
    if step.spec.get("collect") is not None and known.gave is None:
        # What its good iterations gave went with the workflow that ran them.
        memory.done.clear()
    return known


async def iterate(
    flow: Flow, given: LoopInput, items: list[Any], make: "type[Level]"
) -> Tally | None:
    """Run a stretch of iterations in this workflow; None when it continues as new before."""
    count, course = _begin(flow, given, 1)

    async def once(number: int) -> None:
        inside = make(flow, _inner(given, number, items[number - given.start]), given.body)
        await passing(inside, given.scope.prefix, number)
        if inside.scheduler.complete:
            good = _count_one(count, number, inside, given.collect)
            if flow.memory is not None:
                results = None if good else inside.results
                flow.memory.ended(given.scope.prefix, number, given.body, results)
            if parts := count.overflow():
                count.add(Tally(results=[await _collected(given, parts, str(number))]))
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


def _read_by(body: Plan, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what a pass reads: the list that a loop walks over need not go into all its parts."""
    if body.params is None:
        return parameters
    return {name: parameters[name] for name in body.params if name in parameters}


def _place(given: LoopInput) -> str:
    return f"{given.scope.prefix}[{given.start}]:course"


async def load(given: LoopInput) -> list[Any]:
    """Return the items of a stretch, or what stands for them."""
    if given.by_reference:
        places = range(given.start, given.start + given.count)
        return [items.reference(given.ref or "", place) for place in places]
    if given.ref is None:
        return given.items or []
    return await sliced(given.scope.context, given.ref, given.start, given.count, "slice")


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
    heed()
    return expanded


def _patience(level: "Level", step: Step) -> dict[str, Any]:
    """Return the limits of finding a loop's items: of a file or a statement, those of its task."""
    if not isinstance(step.spec["inputs"], dict):
        return {"start_to_close_timeout": ACTIVITY_SECONDS}
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
        await _take_trail(flow, whole, tally)
        count.add(tally)
        if flow.memory is not None:
            flow.memory.loops[whole.scope.prefix].done.update(numbers(tally.done))
            flow.memory.hear(tally.kept)
            flow.highest_inside = max(flow.highest_inside, tally.tries)

    await each(flow, course, parallel, stretch, count.enough)
    return _end(flow, whole, count, course)


async def _take_trail(flow: Flow, whole: LoopInput, tally: Tally) -> None:
    """Take over what can be undone of a stretch, also of one that was cancelled."""
    if not tally.undo:
        return
    path = whole.scope.prefix
    flow.trails.setdefault(path, Trail()).traces.extend(tally.undo)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError(ORDERED)
    await shorten(flow, whole.scope.context, path, INLINE_LIMIT)


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
        flow.stretches[name] = (given.scope.prefix, given.start, given.count)
        return Tally.model_validate(await handle)
    except ChildWorkflowError as failure:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError(ORDERED) from failure
        error = {"code": "loop_lost", "message": f"The workflow {name} was ended from outside."}
        return Tally(failed=given.count, failed_items=[given.start], error=error)
    finally:
        flow.children.pop(name, None)
        flow.stretches.pop(name, None)


def _inner(given: LoopInput, number: int, item: Any) -> Scope:
    scope, outer = given.scope, given.scope.loop
    loop = {**outer, "item": item, "item_index": number, "outer": outer}
    if given.item is not None:
        loop[given.item] = item
    return scope.model_copy(update={"prefix": f"{scope.prefix}[{number}].", "loop": loop})


def _count_one(count: Count, number: int, inside: "Level", collect: str | None) -> bool:
    """Count an iteration that has ended; tell whether it succeeded."""
    body, results = inside.plan, inside.results
    if verdict(body.steps, results) is RunState.COMPLETED:
        try:
            given = [] if collect is None else [expressions.resolve(collect, inside.asked())]
        except RacineError as fault:
            error = {"code": fault.code, "message": f"[{number}]: {fault.message}"}
            count.failure(number, error)
            return False
        count.success(number, given)
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
