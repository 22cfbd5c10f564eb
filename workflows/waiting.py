"""Waiting in a workflow for several things, through cancellations that are meant and those not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from racine.engine.scheduler import end, ordered
    from workflows.flow import Flow


async def settled(
    work: "asyncio.Future[Any]",
    seconds: float | None,
    on_cancel: Callable[[], None],
    forced: "asyncio.Future[None] | None" = None,
) -> bool:
    """Wait for work through any number of cancellations; tell whether it ended in time.

    Once `forced` is done, it is waited for no longer.

    Only the server's request counts as one: when the worker drops the run from its cache, it
    cancels its coroutines too, and those must simply go.
    """
    awaited = [work] if forced is None else [work, forced]
    while not work.done():
        try:
            await workflow.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return work.done()
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise
            on_cancel()
            seconds = None
    return True


@dataclass
class Course:
    """Which numbers are still to be worked on: those put back, then the rest in steps."""

    next: int
    end: int
    step: int = 1
    back: list[int] = field(default_factory=list)

    def take(self) -> int | None:
        """Give away the next number; None when there is none."""
        if self.back:
            return self.back.pop(0)
        if self.next >= self.end:
            return None
        self.next += self.step
        return self.next - self.step

    def __len__(self) -> int:
        return len(self.back) + len(range(self.next, self.end, self.step))


async def each(
    flow: Flow,
    course: Course,
    parallel: int,
    work: Callable[[int], Awaitable[None]],
    enough: Callable[[], bool],
) -> None:
    """Do the work for every number, so many side by side, until that is enough.

    A run that drains takes no further number; what it did not end, `work` puts back.
    """
    if not course:
        return

    async def serve() -> None:
        while True:
            await flow.resumed()
            if enough() or flow.draining:
                return
            number = course.take()
            if number is None:
                return
            await work(number)

    tasks = [asyncio.create_task(serve()) for _ in range(min(parallel, len(course)))]
    try:
        await workflow.wait(tasks)
    except asyncio.CancelledError as fault:
        if not ordered(fault):
            raise
        for task in tasks:
            end(task)
        await workflow.wait(tasks)
        raise
    for task in tasks:
        task.result()
