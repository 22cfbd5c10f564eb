"""Decides which task starts when: pure asyncio, the same in a workflow and in a test."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from racine.engine.plan import Plan, Step
from racine.engine.policies import may_run
from racine.engine.states import TaskResult, TaskState
from racine.errors import Conflict

Execute = Callable[[int, Step], Awaitable[TaskResult]]
"""Runs one step to its end; reports failure as a result and raises only to abort the run."""

Observe = Callable[[int, TaskResult], None]
"""Hears of steps that ended without being executed."""


@dataclass
class Scheduler:
    """Runs a plan: in-degree counters, a heap of ready steps, at most `cap` in flight.

    With `results` it goes on from there. Everything happens in the plan's order, so that a replay
    makes the same decisions.
    """

    plan: Plan
    execute: Execute
    observe: Observe
    cap: int = 100
    results: dict[int, TaskResult] = field(default_factory=dict)
    paused: bool = False
    hold: bool = False
    """With failures and nothing else to do, wait for orders instead of ending."""

    def __post_init__(self) -> None:
        steps = self.plan.steps
        self._waiting = [sum(up not in self.results for up, _ in s.upstream) for s in steps]
        self._ready = [
            number
            for number, count in enumerate(self._waiting)
            if count == 0 and number not in self.results
        ]
        self._running: dict[int, asyncio.Task[None]] = {}
        self._inbox: asyncio.Queue[int | None] = asyncio.Queue()
        self._by_hand: dict[int, TaskResult] = {}
        self._draining = False
        self._stopping = False

    @property
    def running(self) -> list[int]:
        """The places of the steps in flight, in order of their start."""
        return list(self._running)

    @property
    def complete(self) -> bool:
        return len(self.results) == len(self.plan.steps)

    def pause(self) -> None:
        """Start nothing more until `resume`; what runs goes on."""
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self._inbox.put_nowait(None)

    def drain(self) -> None:
        """Start nothing more and let `run` return when what runs has ended."""
        self._draining = True
        self._inbox.put_nowait(None)

    def redo(self, number: int, result: TaskResult | None = None) -> None:
        """Run an ended step again, or give it a result by hand; what followed it is decided anew.

        Raises Conflict while something that followed it is still running.
        """
        after = self.after(number)
        if any(follower in self._running for follower in after):
            raise Conflict(
                f"Tasks after {self.plan.steps[number].key!r} are running.",
                next_step="Wait for them, or cancel the run.",
            )
        for place in (number, *after):
            self.results.pop(place, None)
        self._ready = [place for place in self._ready if place != number and place not in after]
        if result is not None:
            self._end(number, result)
        for place in (number, *after):
            step = self.plan.steps[place]
            self._waiting[place] = sum(up not in self.results for up, _ in step.upstream)
            if self._waiting[place] == 0 and place not in self.results:
                heapq.heappush(self._ready, place)
        self._inbox.put_nowait(None)

    def settle_by_hand(self, number: int, result: TaskResult) -> None:
        """Give a running step its result, and cancel what it does."""
        self._by_hand[number] = result
        self._running[number].cancel()

    def stop(self) -> None:
        """Cancel what runs, wait for it, and end as cancelled what has not begun."""
        self._stopping = True
        for number in self.running:
            self._running[number].cancel()
        self._inbox.put_nowait(None)

    async def run(self) -> None:
        """Run every step to its end; return before that only when told to drain."""
        heapq.heapify(self._ready)
        while True:
            self._start_what_may()
            if not self._running and (self._draining or self._stopping or self._nothing_left()):
                break
            number = await self._inbox.get()
            if number is not None:
                self._settle(number)
        if self._stopping:
            self._end_the_rest()

    def _nothing_left(self) -> bool:
        """Tell whether the run is over; one that holds its failures waits for orders."""
        held = self.hold and any(r.state is TaskState.FAILED for r in self.results.values())
        return not self._ready and not held

    def after(self, number: int) -> list[int]:
        """Return the places of all steps that follow a step, directly or not, in order."""
        found: set[int] = set()
        open_ = [number]
        while open_:
            for follower in self.plan.steps[open_.pop()].downstream:
                if follower not in found:
                    found.add(follower)
                    open_.append(follower)
        return sorted(found)

    def _start_what_may(self) -> None:
        while self._ready and len(self._running) < self.cap:
            if self.paused or self._draining or self._stopping:
                return
            self._start(heapq.heappop(self._ready))

    def _start(self, number: int) -> None:
        step = self.plan.steps[number]
        upstream = [(self.results[index], outcome) for index, outcome in step.upstream]
        if refused := may_run(step, upstream):
            self._end(number, TaskResult(refused))
            self._release(number)
            return
        task = asyncio.create_task(self._carry_out(number, step))
        # Not the coroutine's own last act: one cancelled before its first turn never runs.
        task.add_done_callback(lambda _: self._inbox.put_nowait(number))
        self._running[number] = task

    async def _carry_out(self, number: int, step: Step) -> None:
        self.results[number] = await self.execute(number, step)

    def _settle(self, number: int) -> None:
        task = self._running.pop(number)
        by_hand = self._by_hand.pop(number, None)
        if by_hand is not None and not self._stopping:
            self._end(number, by_hand)
        elif task.cancelled() and self._stopping:
            self._end(number, TaskResult(TaskState.CANCELLED))
        else:
            task.result()
        self._release(number)

    def _release(self, number: int) -> None:
        for follower in self.plan.steps[number].downstream:
            self._waiting[follower] -= 1
            if self._waiting[follower] == 0:
                heapq.heappush(self._ready, follower)

    def _end(self, number: int, result: TaskResult) -> None:
        self.results[number] = result
        self.observe(number, result)

    def _end_the_rest(self) -> None:
        for number in range(len(self.plan.steps)):
            if number not in self.results:
                self._end(number, TaskResult(TaskState.CANCELLED))
