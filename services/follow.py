"""Follows a run's log: reads on whenever something was written, while somebody listens."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import anyio

from models.session import Database
from models.stores import runs
from models.stores.runs import RunEvent as RunEvent
from racine.engine.states import FINAL_RUN_STATES
from services import executions
from services.access import Actor
from services.hub import Hub

_LINGER_SECONDS = 1.0
"""Workers write events in batches, so rows can land after the one that ends the run."""
_ASK_SECONDS = 2.0
"""How often the listener's right is asked for again: it ends soon after it is taken away."""


@dataclass
class Follower:
    """A listener to one run's log, whose right to it has been asked for once already."""

    db: Database
    actor: Actor
    run_id: str
    hub: Hub

    async def events(self, last: int) -> AsyncIterator[RunEvent]:
        """Yield events after the id `last` as they come, until the run has ended and is silent.

        Ends also when the listener may no longer see the run.
        """
        with self.hub.following(self.run_id) as written:
            async for event in self._events(last, written):
                yield event

    async def until_ended(self, seconds: float) -> None:
        """Return once the run has ended, or so many seconds later."""
        with self.hub.following(self.run_id) as written, suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not await anyio.to_thread.run_sync(self._has_ended):
                    await self.hub.wait(written)
                    written.clear()

    async def _events(self, last: int, written: asyncio.Event) -> AsyncIterator[RunEvent]:
        quiet_since = asked = time.monotonic()
        while True:
            # Cleared before it is read: what is written meanwhile sets it again.
            written.clear()
            found, ended = await anyio.to_thread.run_sync(self._read, last)
            for event in found:
                yield event
            now = time.monotonic()
            # Silence counts from the end: a long task is silent too, and its rows come late.
            if found or not ended:
                quiet_since = now
            if found:
                last = found[-1].id
                continue
            if ended and now - quiet_since >= _LINGER_SECONDS:
                return
            if now - asked >= _ASK_SECONDS:
                await anyio.to_thread.run_sync(self._ask)
                asked = now
            await self.hub.wait(written)

    def _read(self, last: int) -> tuple[list[RunEvent], bool]:
        with self.db.read() as session:
            found = runs.events_after(session, self.run_id, last)
            ended = runs.get(session, self.run_id).state in FINAL_RUN_STATES
            return found, ended

    def _has_ended(self) -> bool:
        with self.db.read() as session:
            return runs.state_of(session, self.run_id) in FINAL_RUN_STATES

    def _ask(self) -> None:
        with self.db.read() as session:
            executions.get(session, self.actor, self.run_id)
