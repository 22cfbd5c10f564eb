"""Slots and tokens of pools, shared by the tasks of one simulated run."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from racine.engine.plan import Plan, Step
from racine.errors import InvalidInput
from racine.simulation.clock import seconds
from racine.simulation.mocks import Pool


class Line:
    """One pool: the first in its line, by priority and then by time, goes first."""

    def __init__(self, limits: Pool) -> None:
        self._slots = limits.slots
        self._rate = limits.tokens_per_second
        self._taken = 0
        self._next = 0.0
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._count = 0

    @asynccontextmanager
    async def held(self, slots: int, priority: int) -> AsyncIterator[None]:
        await self._turn(slots, priority)
        try:
            await self._token()
            yield
        finally:
            self._taken -= slots
            self._serve()

    async def _turn(self, slots: int, priority: int) -> None:
        self._count += 1
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, self._count, slots, turn))
        self._serve()
        await turn

    def _serve(self) -> None:
        while self._waiting:
            _, _, slots, turn = self._waiting[0]
            if not turn.cancelled():
                if self._slots is not None and self._taken + slots > self._slots:
                    return
                self._taken += slots
                turn.set_result(None)
            heapq.heappop(self._waiting)

    async def _token(self) -> None:
        if self._rate is not None:
            begins = max(seconds(), self._next)
            self._next = begins + 1 / self._rate
            await asyncio.sleep(begins - seconds())


class Pools:
    def __init__(self, limits: Mapping[str, Pool]) -> None:
        self._limits = limits
        self._lines = {name: Line(pool) for name, pool in limits.items()}

    @asynccontextmanager
    async def slots(self, step: Step, plan: Plan) -> AsyncIterator[None]:
        """Hold what a step takes of its pool; raise InvalidInput where it never gets so much."""
        line = self._lines.get(step.pool or "")
        if line is None:
            yield
            return
        total = self._limits[step.pool or ""].slots
        if total is not None and step.pool_slots > total:
            raise InvalidInput(
                f"It takes {step.pool_slots} slots of the pool {step.pool!r}, which has {total}.",
                next_step="Give the pool more slots, or let the task take fewer.",
            )
        async with line.held(step.pool_slots, step.priority or plan.priority):
            yield
