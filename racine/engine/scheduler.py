"""Decides which task starts when: pure asyncio, the same in a workflow and in a test."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from racine.engine.plan import Plan, Step
from racine.engine.policies import may_run
from racine.engine.states import RunState, TaskState


@dataclass
class TaskResult:
    """How a task ended: `values` is what others may refer to, `outcome` a condition's branch."""

    state: TaskState
    values: Any = None
    outcome: str | None = None
    error: dict[str, Any] | None = None


Execute = Callable[[int, Step], Awaitable[TaskResult]]
"""Runs one step to its end; reports failure as a result and raises only to abort the run."""

Observe = Callable[[int, TaskResult], None]
"""Hears of steps that ended without being executed."""


@dataclass
class Scheduler:
    """Runs a plan: in-degree counters, a heap of ready steps, at most `cap` in flight."""

    plan: Plan
    execute: Execute
    observe: Observe
    cap: int = 100
    results: dict[int, TaskResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._waiting = [len(step.upstream) for step in self.plan.steps]
        self._ready = [number for number, count in enumerate(self._waiting) if count == 0]
        self._running: dict[int, asyncio.Task[None]] = {}
        self._ended: asyncio.Queue[int] = asyncio.Queue()
        self._may_start = asyncio.Event()
        self._may_start.set()

    @property
    def paused(self) -> bool:
        return not self._may_start.is_set()

    def pause(self) -> None:
        """Start nothing more until `resume`; what runs goes on."""
        self._may_start.clear()

    def resume(self) -> None:
        self._may_start.set()

    async def run(self) -> RunState:
        """Run every step to its end and return how the whole ended."""
        heapq.heapify(self._ready)
        while self._ready or self._running:
            if self._ready and len(self._running) < self.cap:
                await self._may_start.wait()
                self._start(heapq.heappop(self._ready))
            else:
                self._settle(await self._ended.get())
        return verdict(self.plan.steps, self.results)

    def cancel(self) -> None:
        """Cancel what runs and end what has not begun."""
        for number in list(self._running):
            self._running[number].cancel()

    def _start(self, number: int) -> None:
        step = self.plan.steps[number]
        upstream = [(self.results[index], outcome) for index, outcome in step.upstream]
        if refused := may_run(step, upstream):
            self.results[number] = TaskResult(refused)
            self.observe(number, self.results[number])
            self._release(number)
            return
        self._running[number] = asyncio.create_task(self._carry_out(number, step))

    async def _carry_out(self, number: int, step: Step) -> None:
        try:
            self.results[number] = await self.execute(number, step)
        finally:
            self._ended.put_nowait(number)

    def _settle(self, number: int) -> None:
        self._running.pop(number).result()
        self._release(number)

    def _release(self, number: int) -> None:
        for follower in self.plan.steps[number].downstream:
            self._waiting[follower] -= 1
            if self._waiting[follower] == 0:
                heapq.heappush(self._ready, follower)


def verdict(steps: Sequence[Step], results: dict[int, TaskResult]) -> RunState:
    """Judge a run by its leaves: a failure that a later task dealt with is none."""
    failed: list[bool] = []
    for number, step in enumerate(steps):
        state = results[number].state
        passed_on = state in (TaskState.SKIPPED, TaskState.EXCLUDED)
        inherited = passed_on and any(failed[index] for index, _ in step.upstream)
        failed.append(state is TaskState.FAILED or inherited)
    leaves = (failed[n] for n, step in enumerate(steps) if not step.downstream)
    return RunState.FAILED if any(leaves) else RunState.COMPLETED
