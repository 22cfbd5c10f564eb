"""Decides which task starts when: pure asyncio, the same in a workflow and in a test."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from racine.engine.plan import Plan, Step
from racine.engine.policies import Upstream, joined, may_run
from racine.engine.states import TaskResult, TaskState
from racine.errors import Conflict

Execute = Callable[[int, Step], Awaitable[TaskResult | None]]
"""Runs one step to its end; reports failure as a result and raises only to abort the run.

None says that the drained run shall take the step up again where it stands.
"""

Observe = Callable[[int, TaskResult], None]
"""Hears of steps that ended without being executed."""

ORDERED = "ordered"
"""What an order to end says to the coroutines that it cancels."""


def ordered(fault: asyncio.CancelledError) -> bool:
    """Tell an order to end from a coroutine that is only dropped with its run's cache."""
    return ORDERED in fault.args


def end(task: "asyncio.Task[Any]") -> None:
    """Order what a task does to end; what it waits for hears of it."""
    task.cancel(ORDERED)


def heed() -> None:
    """Raise the order to end that the present task was given, if it was given one.

    An activity that completes in the moment of the order gives its result all the same, and a
    task that then waits for something else would never hear of the order.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError(ORDERED)


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
    fail_fast: bool = False
    """After the first failure cancel what runs and skip the rest."""

    def __post_init__(self) -> None:
        steps = self.plan.steps
        self._waiting = [sum(up not in self.results for up, _ in s.upstream) for s in steps]
        self._ready = [
            number
            for number, count in enumerate(self._waiting)
            if number not in self.results and (count == 0 or self._joined(number))
        ]
        self._running: dict[int, asyncio.Task[None]] = {}
        self._inbox: asyncio.Queue[int | None] = asyncio.Queue()
        self._by_hand: dict[int, TaskResult] = {}
        self._draining = False
        self._stopping = False
        self._rest = TaskResult(TaskState.CANCELLED)
        """How those end that have not begun when the run is stopped."""

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
        anew = [number, *after]
        for place in anew:
            self.results.pop(place, None)
        self._ready = [place for place in self._ready if place not in anew]
        heapq.heapify(self._ready)
        if result is not None:
            self._end(number, result)
        beside = [follower for place in anew for follower in self.plan.steps[place].downstream]
        for place in dict.fromkeys([*anew, *beside]):
            upstream = self.plan.steps[place].upstream
            self._waiting[place] = sum(up not in self.results for up, _ in upstream)
            self._queue(place)
        self._inbox.put_nowait(None)

    def settle_by_hand(self, number: int, result: TaskResult) -> None:
        """Give a running step its result, and cancel what it does."""
        self._by_hand[number] = result
        end(self._running[number])

    def stop(self) -> None:
        """Cancel what runs, wait for it, and end as cancelled what has not begun."""
        self._stopping = True
        for number in self.running:
            end(self._running[number])
        self._inbox.put_nowait(None)

    def abandon(self) -> None:
        """End as cancelled all that has not ended, without waiting for what runs."""
        self._end_the_rest()

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
        """Return the places of all steps that follow a step, directly or not, in order.

        One that needs only some of its upstream, and began with others, does not follow.
        """
        gone = {number}
        for place, step in enumerate(self.plan.steps[number + 1 :], number + 1):
            if any(up in gone for up, _ in step.upstream) and not self._stands(place, gone):
                gone.add(place)
        return sorted(gone - {number})

    def _stands(self, place: int, gone: set[int]) -> bool:
        step = self.plan.steps[place]
        if not step.needs or (place not in self.results and place not in self._running):
            return False
        left = [(None if up in gone else self.results.get(up), by) for up, by in step.upstream]
        return joined(step, left)

    def _start_what_may(self) -> None:
        while self._ready and len(self._running) < self.cap:
            if self.paused or self._draining or self._stopping:
                return
            self._start(heapq.heappop(self._ready))

    def _start(self, number: int) -> None:
        step = self.plan.steps[number]
        if refused := may_run(step, self._upstream(step)):
            self._end(number, refused)
            self._release(number)
            return
        task = asyncio.create_task(self._carry_out(number, step))
        # Not the coroutine's own last act: one cancelled before its first turn never runs.
        task.add_done_callback(lambda _: self._inbox.put_nowait(number))
        self._running[number] = task

    def _upstream(self, step: Step) -> Upstream:
        return [(self.results.get(index), outcome) for index, outcome in step.upstream]

    async def _carry_out(self, number: int, step: Step) -> None:
        result = await self.execute(number, step)
        if result is not None:
            self.results[number] = result

    def _settle(self, number: int) -> None:
        task = self._running.pop(number)
        by_hand = self._by_hand.pop(number, None)
        if by_hand is not None and not self._stopping:
            self._end(number, by_hand)
        elif task.cancelled() and self._stopping:
            self._end(number, TaskResult(TaskState.CANCELLED))
        else:
            task.result()
        if number in self.results:
            self._release(number)
            self._mind_failure(self.results[number])

    def _mind_failure(self, result: TaskResult) -> None:
        if self.fail_fast and result.state is TaskState.FAILED and not self._stopping:
            self._rest = TaskResult(TaskState.SKIPPED, reason="fail_fast")
            self.stop()

    def _release(self, number: int) -> None:
        for follower in self.plan.steps[number].downstream:
            self._waiting[follower] -= 1
            self._queue(follower)

    def _queue(self, number: int) -> None:
        """Make a step ready whose upstream is; one that was, or has begun, is not made so anew."""
        if self._waiting[number] and not self._joined(number):
            return
        if number in self.results or number in self._running:
            return
        if self.plan.steps[number].needs and number in self._ready:
            return
        heapq.heappush(self._ready, number)

    def _joined(self, number: int) -> bool:
        step = self.plan.steps[number]
        return step.needs > 0 and joined(step, self._upstream(step))

    def _end(self, number: int, result: TaskResult) -> None:
        self.results[number] = result
        self.observe(number, result)

    def _end_the_rest(self) -> None:
        for number in range(len(self.plan.steps)):
            if number not in self.results:
                self._end(number, self._rest)
