"""Waiting in a workflow for several things, through cancellations that are meant and those not."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.flow import Flow


async def settled(
    work: "asyncio.Future[Any]", seconds: float | None, on_cancel: Callable[[], None]
) -> bool:
    """Wait for work through any number of cancellations; tell whether it ended in time.

    Only the server's request counts as one: when the worker drops the run from its cache, it
    cancels its coroutines too, and those must simply go.
    """
    while not work.done():
        try:
            await workflow.wait([work], timeout=seconds)
            return work.done()
        except asyncio.CancelledError:
            if workflow.cancellation_reason() is None:
                raise
            on_cancel()
            seconds = None
    return True


async def each(
    flow: Flow,
    numbers: Sequence[int],
    parallel: int,
    work: Callable[[int], Awaitable[None]],
    enough: Callable[[], bool],
) -> None:
    """Do the work for every number, so many side by side, until that is enough."""
    if not numbers:
        return
    left = iter(numbers)

    async def serve() -> None:
        for number in left:
            await flow.resumed()
            if enough():
                return
            await work(number)

    tasks = [asyncio.create_task(serve()) for _ in range(min(parallel, len(numbers)))]
    try:
        await workflow.wait(tasks)
    except asyncio.CancelledError:
        if not flow.stopping:
            raise
        for task in tasks:
            task.cancel()
        await workflow.wait(tasks)
        raise
    for task in tasks:
        task.result()
