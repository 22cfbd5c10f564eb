"""Wakes those who follow runs when something was written in them.

PostgreSQL tells it itself. SQLite tells only that somebody has written something: there everybody
who follows a run looks. While neither does, they look again and again.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from models.commits import Commits
from models.session import Database
from models.stores.runs import EVENTS_CHANNEL

if TYPE_CHECKING:
    from models.listening import Listener

_LOOK_SECONDS = 0.25
_GLANCE_SECONDS = 0.01
"""For each follower, between two questions to SQLite: many together look a hundred times a second.
"""
_TOLD_SECONDS = 2.0
"""How long a follower waits at most where it is told: what was lost in between shows then."""


class Hub:
    """One for each API process; started on its event loop."""

    def __init__(self, db: Database) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._listener = None if db.is_sqlite else self._told_by(db)
        self._db = db
        self._glancing: asyncio.Task[None] | None = None

    def _told_by(self, db: Database) -> "Listener":
        from models.listening import Listener  # here: with its driver it takes 12 MB

        return Listener(db, EVENTS_CHANNEL, self._hear)

    def close(self) -> None:
        if self._listener is not None:
            self._listener.close()
        if self._glancing is not None:
            self._loop.call_soon_threadsafe(self._glancing.cancel)

    @contextmanager
    def following(self, run_id: str) -> Iterator[asyncio.Event]:
        """Give an event that is set whenever something is written in the run."""
        written = asyncio.Event()
        self._waiting[run_id].add(written)
        if self._listener is None and not self._told:
            self._glancing = self._loop.create_task(self._glance())
        try:
            yield written
        finally:
            self._waiting[run_id].discard(written)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    async def wait(self, written: asyncio.Event) -> None:
        """Wait until something was written, or it is time to look."""
        try:
            async with asyncio.timeout(_TOLD_SECONDS if self._told else _LOOK_SECONDS):
                await written.wait()
        except TimeoutError:
            return

    @property
    def _told(self) -> bool:
        """Whether followers are woken now."""
        if self._listener is not None:
            return self._listener.listening
        return self._glancing is not None and not self._glancing.done()

    async def _glance(self) -> None:
        """Ask SQLite for as long as anybody follows a run."""
        with closing(await asyncio.to_thread(Commits, self._db)) as commits:
            self._wake(*self._waiting)
            while followers := sum(map(len, self._waiting.values())):
                await asyncio.sleep(min(_LOOK_SECONDS, _GLANCE_SECONDS * followers))
                if commits.came():
                    self._wake(*self._waiting)

    def _hear(self, run_id: str) -> None:
        self._loop.call_soon_threadsafe(self._wake, run_id)

    def _wake(self, *run_ids: str) -> None:
        for run_id in run_ids:
            for written in self._waiting.get(run_id, ()):
                written.set()
