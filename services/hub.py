"""Wakes those who follow runs when something was written in them.

PostgreSQL tells it itself. SQLite cannot: there, and while the connection is away, followers look
again and again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from models.session import Database
from models.stores.runs import EVENTS_CHANNEL

if TYPE_CHECKING:
    from models.listening import Listener

_LOOK_SECONDS = 0.25
_TOLD_SECONDS = 2.0
"""How long a follower waits at most where it is told: what was lost in between shows then."""


class Hub:
    """One for each API process; started on its event loop."""

    def __init__(self, db: Database) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener = None if db.is_sqlite else self._told_by(db)

    def _told_by(self, db: Database) -> "Listener":
        from models.listening import Listener  # here: with its driver it takes 12 MB

        return Listener(db, EVENTS_CHANNEL, self._hear)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    @contextmanager
    def following(self, run_id: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something is written in the run."""
        written = asyncio.Event()
        self._waiting[run_id].add(written)
        try:
            yield written
        finally:
            self._waiting[run_id].discard(written)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    async def wait(self, written: asyncio.Event) -> None:
        """Wait until something was written, or it is time to look."""
        told = self._listener is not None and self._listener.listening
        try:
            async with asyncio.timeout(_TOLD_SECONDS if told else _LOOK_SECONDS):
                await written.wait()
        except TimeoutError:
            return

    def _hear(self, run_id: str) -> None:
        self._loop.call_soon_threadsafe(self._wake, run_id)

    def _wake(self, run_id: str) -> None:
        for written in self._waiting.get(run_id, ()):
            written.set()
