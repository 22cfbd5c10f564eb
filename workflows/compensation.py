"""Undoes what tasks inside loops have done: the iteration that ended last comes first.

While iterations run, each leaves what its `compensate_with` will read; loops that have none leave
nothing. What is undone is taken out, so that a run which continues as new goes on with the rest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.messages import INLINE_LIMIT, Results, RunContext, Scope
    from racine.engine.kept import Passed, Trace, Trail
    from racine.engine.plan import Plan, Step
    from racine.engine.scheduler import ordered
    from racine.engine.states import RunState, TaskState, view_of
    from workflows.blobs import collected, sliced
    from workflows.flow import Flow

if TYPE_CHECKING:
    from workflows.steps import Level

Run = Callable[[str, Plan, Scope], Awaitable[RunState]]
"""Runs a level of that name and tells how it ended."""


async def passing(inside: "Level", path: str, number: int) -> None:
    """Run one iteration of the loop at that path, and keep what can be undone of it."""
    if not inside.plan.undoes:
        await inside.run()
        return
    try:
        await inside.run()
    except asyncio.CancelledError as fault:
        if ordered(fault):
            _keep(inside, path, number)
        raise
    if inside.scheduler.complete:
        _keep(inside, path, number)
        await shorten(inside.flow, inside.scope.context, path, INLINE_LIMIT)


def _keep(inside: "Level", path: str, number: int) -> None:
    flow, steps = inside.flow, inside.plan.steps
    read = {key for step in steps if step.undo for s in step.undo.steps for key in s.outer}
    ended = {steps[place].key: result for place, result in inside.results.items()}
    inner = {
        key: trail for key in ended if (trail := flow.trails.pop(inside.scope.prefix + key, None))
    }
    undone = {step.key for step in steps if step.undo}
    results = {key: result if key in read else replace(result, values=None)
               for key, result in ended.items() if key in read | undone | set(inner)}  # fmt: skip
    if not inner and not any(
        results[key].state is TaskState.SUCCEEDED for key in undone & set(results)
    ):
        return
    around = {key: view for key, view in inside.scope.outer_tasks.items() if key in read}
    passed = Passed(number=number, results=results, tasks=around, loop=inside.scope.loop,
                    inner=inner)  # fmt: skip
    flow.trails.setdefault(path, Trail()).traces.append(Trace(passed=passed))


async def shorten(flow: Flow, context: RunContext, path: str, limit: int) -> None:
    """Put what the iterations of a loop left into a blob once it is more than so many bytes."""
    trail = flow.trails.get(path)
    if trail is None or trail.weight() <= limit:
        return
    held, trail.traces = trail.traces, []
    refs = [trace for trace in held if trace.passed is None]
    items = [(t.passed.number, t.passed.model_dump(mode="json")) for t in held if t.passed]
    flow.trail_blobs += 1
    kept = await collected(context, [Results(items=items)], f"trail:{path}:{flow.trail_blobs}")
    trail.traces[:0] = [*refs, Trace(ref=kept.ref, count=len(items))]


class Compensation:
    """Undoes the iterations of a run's loops; `over` tells when it shall no longer."""

    def __init__(self, flow: Flow, scope: Scope, run: Run, over: Callable[[], bool]) -> None:
        self._flow = flow
        self._scope = scope
        self._run = run
        self._over = over
        self._current = Trail()

    async def loop(self, path: str, body: Plan) -> bool:
        """Undo what the iterations of a loop of the job itself did; tell whether any was undone."""
        trail = self._flow.trails.get(path)
        if trail is None:
            return False
        self._current = trail
        await self._loop(path, body, trail)
        if not trail.traces:
            del self._flow.trails[path]
        return trail.touched

    async def _loop(self, path: str, body: Plan, trail: Trail) -> None:
        while trail.traces and not self._over():
            trace = trail.traces[-1]
            if trace.passed is None:
                await self._open(path, trail, trace)
                continue
            if trace.passed.number not in trail.undone:
                await self._iteration(path, body, trace.passed)
            if not self._over():
                trail.undone.append(trace.passed.number)
                trail.traces.pop()

    async def _open(self, path: str, trail: Trail, trace: Trace) -> None:
        """Take the last iteration out of a blob."""
        name = f"untrail:{path}:{trace.ref}:{trace.count}"
        found = await sliced(self._scope.context, trace.ref or "", trace.count - 1, 1, name)
        trail.traces.pop()
        if trace.count > 1:
            trail.traces.append(Trace(ref=trace.ref, count=trace.count - 1))
        trail.traces.append(Trace(passed=Passed.model_validate(found[0][1])))

    async def _iteration(self, path: str, body: Plan, passed: Passed) -> None:
        steps = {step.key: step for step in body.steps}
        prefix = f"{path}[{passed.number}]."
        for key in reversed(list(passed.results)):
            step, result = steps.get(key), passed.results[key]
            if step is not None and step.undo and result.state is TaskState.SUCCEEDED:
                await self._task(prefix, step, step.undo, passed)
            if step is not None and step.body and key in passed.inner:
                await self._loop(prefix + key, step.body, passed.inner[key])
            if self._over():
                return
            del passed.results[key]

    async def _task(self, prefix: str, step: Step, undo: Plan, passed: Passed) -> None:
        views = {key: view_of(result, None) for key, result in passed.results.items()}
        more = {"prefix": prefix, "outer_tasks": {**passed.tasks, **views}, "loop": passed.loop}
        scope = self._scope.model_copy(update=more)
        if await self._run(f"undo {step.key}", undo, scope) is RunState.COMPLETED:
            self._current.touched = True
            self._flow.has_undone(prefix, step.key, passed.results[step.key])
